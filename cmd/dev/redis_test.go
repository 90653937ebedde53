package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

func TestRedisExpiresKeysByItself(t *testing.T) {
	say, _ := silent()
	url, p, err := startRedis(address{host: "127.0.0.1"}, "the password", say)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop(t.Context())
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	defer c.Close()
	if err := c.Set(t.Context(), "short", "x", 50*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(10 * time.Second)
	for c.Exists(t.Context(), "short").Val() == 1 {
		select {
		case <-deadline:
			t.Fatal("the key does not expire")
		default:
		}
	}
	options.Password = "wrong"
	stranger := redis.NewClient(options)
	defer stranger.Close()
	if err := stranger.Ping(t.Context()).Err(); err == nil {
		t.Error("a wrong password was accepted")
	}
}

func TestEvictDropsTheSoonestExpiringFirst(t *testing.T) {
	m := miniredis.RunT(t)
	value := strings.Repeat("x", 1000)
	for i := range 100 {
		key := fmt.Sprintf("k%02d", i)
		if err := m.Set(key, value); err != nil {
			t.Fatal(err)
		}
		m.SetTTL(key, time.Duration(i+1)*time.Minute)
	}
	if err := m.Set("forever", value); err != nil {
		t.Fatal(err)
	}
	m.HSet("hash", "field", value)
	m.SetTTL("hash", time.Second)

	all := evict(m.DB(0), 1<<30)
	if all < 102*1000 || len(m.Keys()) != 102 {
		t.Fatalf("below the limit: %d bytes in %d keys", all, len(m.Keys()))
	}
	left := evict(m.DB(0), 80_000)
	if left > 60_000 {
		t.Errorf("%d bytes left, want at most three quarters of 80000", left)
	}
	if m.Exists("hash") || m.Exists("k00") || !m.Exists("k99") || !m.Exists("forever") {
		t.Errorf("left: %v", m.Keys())
	}
}
