package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestThroughputOfFiles measures how fast content passes through the server, as
// a ratio to the object store asked directly, in turns, and how much memory the
// server takes for one transfer and for many at once.
func TestThroughputOfFiles(t *testing.T) {
	long(t)
	const size, rounds, crowd = 32 << 20, 9, 16
	s := partsOf(t)
	s.insula(t, "migrate")
	v, linking := s.serve(t, "INSULA_FILES_QUOTA_BYTES=1099511627776"), s.serve(t, "INSULA_FILES_REDIRECT=true")
	n := s.found(t, v).newTenant(t, "speed")
	content := strings.Repeat("0123456789abcdef", size/16)
	stored := upload(t, n.owner, "stored.bin", content)
	lap := 0
	fresh := func() sending {
		lap++
		return declare(t, n.owner, "name", fmt.Sprintf("%d.bin", lap), "size", size)
	}
	rows := []struct {
		name    string
		prepare func() func()
	}{
		{"send to the store", func() func() {
			link := fresh().Upload.Link
			return func() { link.send(t, content).want(t, http.StatusOK) }
		}},
		{"send through the server", func() func() {
			id := fresh().ID
			return func() { n.pour(t, id, content) }
		}},
		{"read from the store", func() func() {
			link := fileLink{Method: http.MethodGet, URL: redirected(t, n.at(linking).owner, stored)}
			return func() { drain(t, link.URL, "", size) }
		}},
		{"read through the server", func() func() {
			return func() { drain(t, v.api+"/v1/files/"+stored+"/content", n.owner.token, size) }
		}},
	}
	took := make([][]time.Duration, len(rows))
	for range rounds + 1 {
		for i, row := range rows {
			run := row.prepare()
			began := time.Now()
			run()
			took[i] = append(took[i], time.Since(began))
		}
	}
	speeds := make([]float64, len(rows))
	for i, row := range rows {
		laps := took[i][1:] // the first was for warming up
		slices.Sort(laps)
		speeds[i] = float64(size) / (1 << 20) / laps[len(laps)/2].Seconds()
		t.Logf("%-24s %7.0f MiB/s", row.name, speeds[i])
	}
	t.Logf("through the server, of the store: sending %.2f, reading %.2f", speeds[1]/speeds[0], speeds[3]/speeds[2])
	one := v.peak(t)
	var group sync.WaitGroup
	for range crowd {
		id := fresh().ID
		group.Go(func() { n.pour(t, id, content) })
		group.Go(func() { drain(t, v.api+"/v1/files/"+stored+"/content", n.owner.token, size) })
	}
	group.Wait()
	t.Logf("the server's memory peaked at %d MiB with one transfer at a time, at %d MiB with %d uploads and %d downloads at once",
		one>>20, v.peak(t)>>20, crowd, crowd)
}

// pour sends a content through the server.
func (n tenant) pour(t *testing.T, id, content string) {
	t.Helper()
	status, err := stream(t, n.owner, id, strings.NewReader(content), int64(len(content)))
	if err != nil || status != http.StatusOK {
		t.Errorf("upload: %d, %v", status, err)
	}
}

// drain reads a content and forgets it.
func drain(t *testing.T, address, token string, size int64) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Error(err)
		return
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := slow.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	if got, err := io.Copy(io.Discard, resp.Body); err != nil || got != size {
		t.Errorf("download: %d bytes, %v", got, err)
	}
}
