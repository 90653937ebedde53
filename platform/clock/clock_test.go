package clock_test

import (
	"sync"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/clock"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestSystemIsUTCToTheMicrosecond(t *testing.T) {
	before := time.Now().Add(-time.Microsecond)
	now := clock.System{}.Now()
	if now.Before(before) || now.After(time.Now()) {
		t.Errorf("now = %v", now)
	}
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Errorf("now = %v", now)
	}
}

func TestManualStandsStillUntilMoved(t *testing.T) {
	zone := time.FixedZone("east", 3600)
	m := clock.At(noon.Add(1234 * time.Nanosecond).In(zone))
	var c clock.Clock = m
	for range 2 {
		if want := noon.Add(time.Microsecond); c.Now() != want {
			t.Errorf("now = %v, want %v", c.Now(), want)
		}
	}
	m.Set(noon)
	if got := m.Advance(time.Hour); got != noon.Add(time.Hour) || c.Now() != got {
		t.Errorf("after an hour: %v, %v", got, c.Now())
	}
	if got := m.Advance(-2 * time.Hour); got != noon.Add(-time.Hour) {
		t.Errorf("two hours back: %v", got)
	}
}

func TestManualIsSafeForConcurrentUse(t *testing.T) {
	m := clock.At(noon)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { m.Advance(time.Second); m.Now() })
	}
	wg.Wait()
	if m.Now() != noon.Add(50*time.Second) {
		t.Errorf("now = %v", m.Now())
	}
}
