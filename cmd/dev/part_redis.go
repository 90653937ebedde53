package main

import (
	"context"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"time"

	"github.com/alicebob/miniredis/v2"
)

const (
	// redisTick is how often the clock of the embedded Redis moves: its keys
	// expire no later than this after their time.
	redisTick = 100 * time.Millisecond
	// redisCap is the memory in bytes that its data may take.
	redisCap = 64 << 20
	// redisCheck is how often that is looked at.
	redisCheck = time.Second
)

// startRedis runs a Redis inside this process. Its state ends with it, as that
// of a cache may.
func startRedis(addr address, password string, say *progress) (string, part, error) {
	m := miniredis.NewMiniRedis()
	m.RequireAuth(password)
	if err := m.StartAddr(addr.String()); err != nil {
		return "", part{}, fmt.Errorf("start the embedded Redis: %w", err)
	}
	done := make(chan struct{})
	quit := make(chan struct{})
	go func() {
		defer close(done)
		keepRedis(m, quit, say)
	}()
	u := url.URL{Scheme: "redis", User: url.UserPassword("", password), Host: m.Addr(), Path: "/0"}
	return u.String(), part{
		name: "Redis", done: done, err: func() error { return nil }, limit: 5 * time.Second,
		stop: func(context.Context) error {
			close(quit)
			<-done
			m.Close()
			return nil
		},
	}, nil
}

// keepRedis does what a real Redis does by itself: it lets time pass, and it
// evicts when memory runs short.
func keepRedis(m *miniredis.Miniredis, quit <-chan struct{}, say *progress) {
	tick := time.NewTicker(redisTick)
	defer tick.Stop()
	last, checked := time.Now(), time.Now()
	warned := false
	for {
		select {
		case <-quit:
			return
		case now := <-tick.C:
			m.FastForward(now.Sub(last))
			last = now
			if now.Sub(checked) < redisCheck {
				continue
			}
			checked = now
			if heapInUse() < redisCap {
				continue // the data is a part of the heap: no need to count it
			}
			if left := evict(m.DB(0), redisCap); left > redisCap && !warned {
				warned = true
				say.line("the embedded Redis holds %d MiB in keys without an expiry; every key should have one", left>>20)
			}
		}
	}
}

func heapInUse() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// evict drops the keys that would expire soonest until the rest takes three
// quarters of limit. Keys that never expire stay. It returns what is left, in
// bytes.
func evict(db *miniredis.RedisDB, limit int) int {
	type entry struct {
		key  string
		ttl  time.Duration
		size int
	}
	var entries []entry
	total := 0
	for _, key := range db.Keys() {
		e := entry{key, db.TTL(key), size(db, key)}
		total += e.size
		if e.ttl > 0 {
			entries = append(entries, e)
		}
	}
	if total <= limit {
		return total
	}
	slices.SortFunc(entries, func(a, b entry) int { return int(a.ttl - b.ttl) })
	for _, e := range entries {
		if total <= limit/4*3 {
			break
		}
		db.Del(e.key)
		total -= e.size
	}
	return total
}

// entryCost is what one entry takes beside its text, roughly.
const entryCost = 64

// size estimates what a key takes. A key may vanish or change its type between
// two questions; then it counts as small.
func size(db *miniredis.RedisDB, key string) int {
	n := len(key) + entryCost
	add := func(parts ...string) {
		for _, p := range parts {
			n += len(p) + entryCost
		}
	}
	switch db.Type(key) {
	case "string":
		v, _ := db.Get(key)
		add(v)
	case "hash":
		fields, _ := db.HKeys(key)
		for _, f := range fields {
			add(f, db.HGet(key, f))
		}
	case "list":
		v, _ := db.List(key)
		add(v...)
	case "set":
		v, _ := db.Members(key)
		add(v...)
	case "zset":
		v, _ := db.SortedSet(key)
		for member := range v {
			add(member)
		}
	case "stream":
		v, _ := db.Stream(key)
		for _, e := range v {
			add(e.Values...)
		}
	}
	return n
}
