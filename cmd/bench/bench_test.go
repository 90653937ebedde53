package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHistogramQuantiles(t *testing.T) {
	var h histogram
	for us := 1; us <= 100_000; us++ {
		h.add(time.Duration(us) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{
		0: time.Microsecond, 0.5: 50_000 * time.Microsecond, 0.99: 99_000 * time.Microsecond,
	} {
		got := h.quantile(q)
		if got > want || float64(got) < 0.984*float64(want)-1 {
			t.Errorf("quantile %v is %s, want at most 1.6 %% below %s", q, got, want)
		}
	}
	if got := new(histogram).quantile(0.5); got != 0 {
		t.Errorf("quantile of nothing is %s", got)
	}
}

// TestBucketsHoldWhatTheySay: a duration is in the bucket whose bounds it lies
// between.
func TestBucketsHoldWhatTheySay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Uint64Range(0, 1<<36-1).Draw(t, "microseconds")
		d := time.Duration(us) * time.Microsecond
		b := bucketOf(us)
		if floorOf(b) > d || b+1 < buckets && floorOf(b+1) <= d {
			t.Fatalf("%s is in bucket %d, which begins at %s", d, b, floorOf(b))
		}
	})
	if got := bucketOf(1 << 63); got != buckets-1 {
		t.Errorf("a duration beyond all is in bucket %d", got)
	}
}

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{7}, 7}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 100}, 3.5}} {
		if got := median(tc.of); got != tc.want {
			t.Errorf("median of %v is %v, want %v", tc.of, got, tc.want)
		}
	}
}

// TestRatioIsTakenRoundByRound: a machine that gets slower between rounds must
// not show in the ratio.
func TestRatioIsTakenRoundByRound(t *testing.T) {
	rounds := func(rates ...float64) (ms []measurement) {
		for _, r := range rates {
			ms = append(ms, measurement{rate: r, requests: 1})
		}
		return ms
	}
	floor := result{row: row{name: "floor"}, rounds: rounds(1000, 100, 10)}
	other := result{row: row{name: "other", against: "floor"}, rounds: rounds(500, 50, 5)}
	if got := summarise(other, []result{floor, other}); got.Ratio != 0.5 || got.Requests != 3 || got.Rate != 50 {
		t.Errorf("summarised as %+v", got)
	}
	if got := summarise(floor, []result{floor, other}); got.Ratio != 0 {
		t.Errorf("the floor has the ratio %v to itself", got.Ratio)
	}
}

// TestFloorRunsTheSameStatements: a floor that asks for less would flatter
// nobody but itself.
func TestFloorRunsTheSameStatements(t *testing.T) {
	text, err := os.ReadFile("../../sql/queries/users/users.sql")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`@\w+|sqlc\.narg\(\w+\)|\$\d`)
	for name, sql := range map[string]string{"FindUser :one": findUser, "ListUsers :many": listUsers} {
		_, rest, found := strings.Cut(string(text), "-- name: "+name+"\n")
		ours, _, _ := strings.Cut(rest, ";")
		if want := names.ReplaceAllString(ours, "$"); !found || names.ReplaceAllString(sql, "$") != want {
			t.Errorf("%s is\n%s\nand the floor runs\n%s", name, ours, sql)
		}
	}
}

func loadOf(t *testing.T, handler http.HandlerFunc, connections int) *load {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	next := func(w *worker) request {
		return request{method: http.MethodPost, path: "/x", body: fmt.Append(nil, w.sent), want: http.StatusOK}
	}
	l, err := openLoad(t.Context(), s.Listener.Addr().String(), make([]string, connections), next)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func TestLoadCountsEveryAnswer(t *testing.T) {
	answered := make(chan struct{}, 1<<20)
	l := loadOf(t, func(w http.ResponseWriter, _ *http.Request) {
		answered <- struct{}{}
		fmt.Fprint(w, strings.Repeat("x", 10_000)) // several reads, chunked
	}, 3)
	o, err := l.run(t.Context(), 20*time.Millisecond, 1)
	if err != nil {
		t.Fatal(err)
	}
	if o.latencies.total != uint64(len(answered)) || o.latencies.total < 3 {
		t.Errorf("counted %d of %d answers", o.latencies.total, len(answered))
	}
}

func TestLoadFailsOnAnUnexpectedAnswer(t *testing.T) {
	l := loadOf(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Fscan(r.Body, &n); err != nil || n == 5 {
			http.Error(w, "too many", http.StatusTooManyRequests)
		}
	}, 2)
	_, err := l.run(t.Context(), time.Minute, 1)
	if err == nil || !strings.Contains(err.Error(), "429 Too Many Requests: too many") {
		t.Errorf("the run ended with %v", err)
	}
}

func TestLoadFailsOnALostConnection(t *testing.T) {
	l := loadOf(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	}, 1)
	if _, err := l.run(t.Context(), time.Minute, 1); err == nil {
		t.Error("a connection was lost and nobody noticed")
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := loadOf(t, func(http.ResponseWriter, *http.Request) { cancel() }, 2)
	if _, err := l.run(ctx, time.Hour, 1); err == nil {
		t.Error("an interrupted round counts as one")
	}
}

func TestFlagsAreBounded(t *testing.T) {
	for _, args := range [][]string{
		{"-rounds", "0"}, {"-rounds", "101"}, {"-duration", "1ms"}, {"-duration", "2m"}, {"-connections", "0"},
		{"-connections", "5000"}, {"-users", "1"}, {"surplus"},
	} {
		if _, err := parse(args); err == nil {
			t.Errorf("accepted %v", args)
		}
	}
	if _, err := parse(nil); err != nil {
		t.Errorf("refused its own defaults: %v", err)
	}
}

func TestMailSinkCounts(t *testing.T) {
	m, err := startMail()
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	addr := strings.TrimSuffix(strings.TrimPrefix(m.url, "smtp://"), "?tls=none")
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "EHLO x\r\nMAIL FROM:<a@bench.example>\r\nRCPT TO:<b@bench.example>\r\nDATA\r\n.\r\n")
	if err := m.await(t.Context(), 1); err != nil {
		t.Error(err)
	}
}
