package wiregen_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"
)

// viewersInAll is how many watch at once, in three tenants.
const viewersInAll = 200

// TestManyWatchThroughOneReader has 200 viewers of three trails on one process:
// each trail is read once, whoever watches it gets all of its records in their
// order and none of another, who comes again misses none, and nothing is left
// when they have gone. It counts goroutines, so it runs beside no other test.
func TestManyWatchThroughOneReader(t *testing.T) {
	h := newHouse(t)
	server := httptest.NewServer(h.server)
	t.Cleanup(server.Close)
	watched := []*tenant{h.tenant(t), h.tenant(t), h.tenant(t)}
	viewers := make([]*watcher, viewersInAll)
	for i := range viewers {
		viewers[i] = watched[i%len(watched)].watch(t, server.URL, "")
		viewers[i].ready(t)
	}
	if readers, watching := working("auditmodule.(*Tails).read("), working("service.(*Viewing).Watch("); readers != len(watched) || watching != viewersInAll {
		t.Errorf("%d readers for %d viewers of %d trails", readers, watching, len(watched))
	}
	told := make([][]string, len(watched))
	tell := func(what string) {
		for i, n := range watched {
			email := fmt.Sprintf("%s@%s.example", what, n.slug)
			n.invite(t, email)
			told[i] = append(told[i], email)
		}
	}
	tell("first")
	left := map[int][]string{} // what those had seen who leave and come again
	for i := 0; i < viewersInAll; i += 10 {
		left[i] = viewers[i].invited(t, "first@")
		viewers[i].close()
	}
	tell("second")
	tell("third")
	for i := range left {
		viewers[i] = watched[i%len(watched)].watch(t, server.URL, viewers[i].last)
	}
	tell("last")
	for i, w := range viewers {
		got, want := append(left[i], w.invited(t, "last@")...), told[i%len(watched)]
		if !slices.Equal(got, want) {
			t.Errorf("viewer %d got %v, want %v", i, got, want)
		}
		w.close()
	}
	for deadline := time.Now().Add(patience); working("modules/audit/") > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d are still at it after all viewers have left", working("modules/audit/"))
		}
	}
}

// invited reads the addresses of the people whose invitations the stream tells
// of, until one that begins like this.
func (w *watcher) invited(t *testing.T, last string) (emails []string) {
	t.Helper()
	for {
		_, data := w.next(t)
		_, rest, _ := strings.Cut(data, `"email":"`)
		email, _, _ := strings.Cut(rest, `"`)
		emails = append(emails, email)
		if strings.HasPrefix(email, last) {
			return emails
		}
	}
}

// working counts the goroutines that are in a function, or in any of a package.
func working(where string) (n int) {
	var stacks bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2) // to memory
	for stack := range strings.SplitSeq(stacks.String(), "\n\n") {
		if strings.Contains(stack, where) {
			n++
		}
	}
	return n
}
