package wiregen_test

import (
	"net/http"
	"testing"

	usersapi "github.com/insulahq/insula/modules/users/api"
)

// TestWhoIsRemovedStaysInTheTrail: what somebody did keeps its actor's id and
// label after the account is gone, and at the same moment nothing opens with
// its sessions and keys any more.
func TestWhoIsRemovedStaysInTheTrail(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	admin := n.user(t, "admin")
	made := decode[usersapi.CreatedAPIKey](t, n.who(admin).post(t, "/v1/api-keys", newAPIKey()), http.StatusCreated)
	n.secrets.add(made.Key)
	did := n.who(admin).post(t, "/v1/users", `{"email":"new@example.com","name":"New"}`)
	mustDo(t, did)
	mustDo(t, n.h.bearer(made.Key).get(t, "/v1/users"))

	removed := n.as().with("If-Match", "*").call(t, "DELETE", userPath(admin), "")
	mustDo(t, removed)
	refused(t, n.who(admin).get(t, "/v1/me"), http.StatusUnauthorized, "unauthenticated")
	refused(t, n.refresh(t, admin.refresh), http.StatusUnauthorized, "users.refresh_token")
	refused(t, n.h.bearer(made.Key).get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")
	refused(t, n.login(t, admin.email, admin.password), http.StatusUnauthorized, "users.credentials")

	records := n.records(t, did)
	if len(records) != 1 || records[0].Actor.ID == nil || *records[0].Actor.ID != admin.id || records[0].Actor.Label != admin.email {
		t.Errorf("the actor is %+v", records)
	}
	if gone := n.records(t, removed); len(gone) != 1 || targetOf(gone[0]) != admin.id.String() || gone[0].Target.Label != admin.email {
		t.Errorf("the removal is recorded as %+v", gone)
	}
	if all := n.events(t, "actor="+admin.id.String()); len(all) != 2 { // the key and the user
		t.Errorf("%d records are found by the actor", len(all))
	}
}
