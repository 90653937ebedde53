package s3test_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
)

func TestMemoryConforms(t *testing.T) {
	s3test.Conformance(t, s3test.NewMemory(t, clock.System{}))
}

func TestMemoryLinksExpireByItsClock(t *testing.T) {
	now, ids := clock.At(time.Now()), id.NewSequence(1)
	m := s3test.NewMemory(t, now)
	link, err := m.PresignPut(context.Background(), s3x.TenantKey(ids.New(), ids.New()), s3x.Upload{Size: 1, ContentType: "a/b"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{http.StatusOK, http.StatusForbidden} {
		request, err := http.NewRequest(link.Method, link.URL, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = link.Header
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("status = %d, want %d", answer.StatusCode, want)
		}
		now.Advance(time.Minute)
	}
}

func TestMemoryFailsOnDemand(t *testing.T) {
	m := s3test.NewMemory(t, clock.System{})
	m.FailWith(s3x.ErrUnavailable)
	if err := m.Ready(context.Background()); !errors.Is(err, s3x.ErrUnavailable) {
		t.Errorf("error = %v", err)
	}
	m.FailWith(nil)
	if err := m.Ready(context.Background()); err != nil {
		t.Error(err)
	}
}
