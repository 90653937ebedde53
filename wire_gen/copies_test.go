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
func (n *tenant) stuck(t *testing.T, path, body string) *response {
	t.Helper()
	n.h.blobs.FailWith(s3x.ErrUnavailable)
	defer n.h.blobs.FailWith(nil)
	w := n.as().post(t, path, body)
	if o := n.attempt(t, w); o.Status != "running" || o.Error == nil || o.Error.Code != "unavailable" {
		t.Fatalf("without the store: %+v %+v", o, o.Error)
	}
	return w
}

// TestWhoLostACopyCannotEndIt: a process whose lock was lost without its
// knowing, while another one has taken the work over, changes nothing more.
func TestWhoLostACopyCannotEndIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	source, backup := operator.backup(t, n)
	path := "/v1/tenants/" + source
	for name, begin := range map[string]func() *response{
		"backup": func() *response { return operator.stuck(t, path+"/backups", "") },
		"clone": func() *response {
			return operator.stuck(t, path+"/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone"}`, newSlug()))
		},
		"restore": func() *response {
			return operator.stuck(t, path+"/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"New"}`, backup, newSlug()))
		},
		"in place": func() *response {
			return operator.stuck(t, path+"/restore", fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, backup))
		},
	} {
		w := begin()
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
	requests := map[string]func() *response{
		"backup": func() *response { return operator.as().post(t, path+"/backups", "") },
		"clone": func() *response {
			return operator.as().post(t, path+"/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone"}`, newSlug()))
		},
		"in place": func() *response {
			return operator.as().post(t, path+"/restore", fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, backup))
		},
		"erase": func() *response {
			mustDo(t, operator.as().with("If-Match", "*").call(t, "DELETE", path, ""))
			defer func() { mustDo(t, operator.as().post(t, path+"/undelete", "")) }()
			return operator.as().post(t, path+"/erase", fmt.Sprintf(`{"slug":%q}`, n.slug))
		},
	}
	for _, tc := range []struct {
		path, body string
		busy       []string
	}{
		{"/backups", "", []string{"backup", "in place", "erase"}},
		{"/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone"}`, newSlug()), []string{"in place", "erase"}},
		{"/restore", fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, backup), []string{"backup", "clone", "in place", "erase"}},
		{"/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"New"}`, backup, newSlug()), []string{"erase"}},
	} {
		w := operator.stuck(t, path+tc.path, tc.body)
		for _, what := range tc.busy {
			refused(t, requests[what](), http.StatusConflict, "tenants.busy")
		}
		operator.must(t, w)
	}
	w := operator.stuck(t, path+"/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone"}`, newSlug()))
	operator.must(t, requests["backup"]())
	operator.must(t, w)
	operator.must(t, requests["in place"]())
}

// TestNothingIsMadeOfATenantThatIsErased: its erasure takes the archives, so a
// restore that began meanwhile would end in an empty tenant.
func TestNothingIsMadeOfATenantThatIsErased(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	source, backup := operator.backup(t, n)
	restore := func() *response {
		return operator.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"New"}`, backup, newSlug()))
	}
	n.delete(t)
	operator.must(t, restore()) // a deleted one can still be made anew

	h.blobs.FailWith(s3x.ErrUnavailable)
	mustDo(t, operator.as().post(t, "/v1/tenants/"+source+"/erase", object("slug", n.slug)))
	refused(t, restore(), http.StatusConflict, "tenants.status")
	h.blobs.FailWith(nil)
	h.erased(t, n)
	refused(t, restore(), http.StatusNotFound, "tenants.backup_not_found")
}
