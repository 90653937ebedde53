package wiregen_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/uow"
)

// stuck begins a copy whose first attempt finds the object store away, and
// returns the answer: it is to be tried again.
func (n *tenant) stuck(t *testing.T, request func() (path, body string)) *response {
	t.Helper()
	path, body := request()
	n.h.blobs.FailWith(s3x.ErrUnavailable)
	defer n.h.blobs.FailWith(nil)
	w := n.as().post(t, path, body)
	if o := n.attempt(t, w); o.Status != "running" || o.Error == nil || o.Error.Code != "unavailable" {
		t.Fatalf("without the store: %+v %+v", o, o.Error)
	}
	return w
}

// copyRequests are the requests that copy a tenant, by name: a path and a body.
func copyRequests(source, backup string) map[string]func() (path, body string) {
	of := "/v1/tenants/" + source
	return map[string]func() (string, string){
		"backup": func() (string, string) { return of + "/backups", "" },
		"clone":  func() (string, string) { return of + "/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone"}`, newSlug()) },
		"restore": func() (string, string) {
			return of + "/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"New"}`, backup, newSlug())
		},
		"in place": func() (string, string) {
			return of + "/restore", fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, backup)
		},
	}
}

// TestWhoLostACopyCannotEndIt: a process whose lock was lost without its
// knowing, while another one has taken the work over, changes nothing more.
func TestWhoLostACopyCannotEndIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	source, backup := operator.backup(t, n)
	for name, request := range copyRequests(source, backup) {
		w := operator.stuck(t, request)
		id := uuid.MustParse(strings.TrimPrefix(w.Header().Get("Location"), "/v1/operations/"))
		seen, err := h.Copies.Copy(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		lost, err := h.Copies.Begin(t.Context(), seen)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Copies.Begin(t.Context(), seen); !errors.Is(err, domain.ErrOvertaken) {
			t.Errorf("%s: two took over from the same one: %v", name, err)
		}
		if _, err := h.Copies.Begin(t.Context(), lost); err != nil {
			t.Fatal(err)
		}
		h.endsNothing(t, name, lost)
		operator.must(t, w)
		h.endsNothing(t, name+" that is over", lost)
	}
}

// endsNothing tries all that would change what a copy has become.
func (h *house) endsNothing(t *testing.T, name string, c domain.Copy) {
	t.Helper()
	ctx := t.Context()
	closing := func(fn func(tx uow.Tx) error) error { return h.Migrator.Control().Write(ctx, fn) }
	_, aimed := h.Copies.Aim(ctx, c, uuid.New())
	_, noted := h.Copies.Note(ctx, c, domain.ErrArchive, true)
	for what, err := range map[string]error{
		"aimed": aimed, "noted": noted,
		"packed":   h.Copies.Packed(ctx, c, domain.Packed{At: h.clock.Now()}),
		"founded":  closing(func(tx uow.Tx) error { return h.Copies.Founded(ctx, tx, c, 1) }),
		"replaced": closing(func(tx uow.Tx) error { return h.Copies.Replaced(ctx, tx, c, 1) }),
		"cleaned":  h.Copies.Cleaned(ctx, c, nil),
		"undone":   h.Copies.Undone(ctx, c),
	} {
		if !errors.Is(err, domain.ErrOvertaken) {
			t.Errorf("%s was %s: %v", name, what, err)
		}
	}
}

// TestCopiesThatDoNotGoTogether: a tenant is not put back while its rows are
// being read, nor read while it is being put back, nor erased meanwhile.
func TestCopiesThatDoNotGoTogether(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	source, backup := operator.backup(t, n)
	path := "/v1/tenants/" + source
	requests := copyRequests(source, backup)
	begin := func(what string) *response {
		if what == "erase" {
			mustDo(t, operator.as().with("If-Match", "*").call(t, "DELETE", path, ""))
			defer func() { mustDo(t, operator.as().post(t, path+"/undelete", "")) }()
			return operator.as().post(t, path+"/erase", fmt.Sprintf(`{"slug":%q}`, n.slug))
		}
		path, body := requests[what]()
		return operator.as().post(t, path, body)
	}
	for first, busy := range map[string][]string{
		"backup":   {"backup", "in place", "erase"},
		"clone":    {"in place", "erase"},
		"in place": {"backup", "clone", "in place", "erase"},
	} {
		w := operator.stuck(t, requests[first])
		for _, what := range busy {
			refused(t, begin(what), http.StatusConflict, "tenants.busy")
		}
		operator.must(t, w)
	}
	w := operator.stuck(t, requests["clone"])
	operator.must(t, begin("backup"))
	operator.must(t, w)
	operator.must(t, begin("in place"))
}
