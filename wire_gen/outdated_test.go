package wiregen_test

import (
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestATenantBelowTheFloor: while a tenant's schema is older than this binary
// can work with, the tenant is asked to come again, and the others do not
// notice.
func TestATenantBelowTheFloor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	old, fresh := h.tenant(t), h.tenant(t)
	old.atVersion(t, "-1") // older than anything
	for name, w := range map[string]*response{
		"read":  old.as().get(t, "/v1/users"),
		"write": old.as().with("Idempotency-Key", "k").post(t, "/v1/invitations", `{"email":"a@example.com"}`),
		"login": old.stranger().post(t, "/v1/auth/login", `{"email":"a@example.com","password":"correct horse battery"}`),
	} {
		refused(t, w, http.StatusServiceUnavailable, "tenant_outdated")
		if w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", name)
		}
	}
	if w := fresh.as().get(t, "/v1/users"); w.Code != http.StatusOK {
		t.Errorf("the other tenant: %d %s", w.Code, w.Body)
	}
	old.atVersion(t, "29990101000000") // of a newer binary that is being rolled out
	if w := old.as().get(t, "/v1/users"); w.Code != http.StatusOK {
		t.Errorf("after the migration: %d %s", w.Code, w.Body)
	}
}

// atVersion sets what the registry says of the tenant's schema.
func (n *tenant) atVersion(t *testing.T, version string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), n.h.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if _, err := db.Exec(t.Context(), "UPDATE control.tenants SET schema_version = $2 WHERE id = $1", n.id, version); err != nil {
		t.Fatal(err)
	}
}
