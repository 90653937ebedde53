package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestUserFromCreationToRemoval leads one user through everything, and finds
// every step in the trail.
func TestUserFromCreationToRemoval(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "user-life")
	owner := n.owner
	created := owner.do(t, "POST", "/v1/users", object("email", "Ada@Example.com", "name", "Ada", "roles", []string{"member"})).want(t, http.StatusCreated)
	path, etag := created.header.Get("Location"), created.header.Get("ETag")
	ada := read[user](t, created)
	if path != "/v1/users/"+ada.ID || etag == "" || ada.Status != "invited" || !slices.Equal(ada.Roles, []string{"member"}) {
		t.Fatalf("created %+v at %s, %s", ada, path, etag)
	}
	asAda := owner.as(owner.accept(t, n.invitation(t, "Ada@Example.com", n.slug), "Ada Lovelace"))
	owner.do(t, "GET", path, "", "If-None-Match: "+etag).want(t, http.StatusOK) // accepting was a change
	etag = owner.do(t, "GET", path, "").want(t, http.StatusOK).header.Get("ETag")
	if same := owner.do(t, "GET", path, "", "If-None-Match: "+etag).want(t, http.StatusNotModified); len(same.body) != 0 {
		t.Errorf("304 with %s", same.body)
	}

	owner.do(t, "PATCH", path, object("name", "Ada King")).refused(t, http.StatusPreconditionRequired, "")
	stale := owner.do(t, "PATCH", path, object("name", "Ada King"), `If-Match: "v99"`)
	stale.refused(t, http.StatusPreconditionFailed, "")
	changed := owner.do(t, "PATCH", path, object("name", "Ada King"), "If-Match: "+etag).want(t, http.StatusOK)
	if next := changed.header.Get("ETag"); next == etag || changed.text(t, "name") != "Ada King" {
		t.Errorf("changed to %s, %s", changed.body, next)
	}
	owner.do(t, "PATCH", path, object("name", "Ada Again"), "If-Match: "+etag).refused(t, http.StatusPreconditionFailed, "")

	chosen := owner.do(t, "PUT", path+"/roles", object("roles", []string{"auditor"}), "If-Match: *").want(t, http.StatusOK)
	asAda.do(t, "GET", "/v1/audit/events", "").want(t, http.StatusOK) // at once, under the same token
	suspended := owner.do(t, "POST", path+"/suspend", "").want(t, http.StatusOK)
	asAda.do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "")
	owner.stranger().do(t, "POST", "/v1/auth/login", object("email", "ada@example.com", "password", password)).refused(t, http.StatusUnauthorized, "")
	resumed := owner.do(t, "POST", path+"/resume", "").want(t, http.StatusOK)
	asAda.do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "") // the session has ended for good
	owner.login(t, "ada@example.com", password)
	removed := owner.do(t, "DELETE", path, "", "If-Match: *").want(t, http.StatusNoContent)
	owner.do(t, "GET", path, "").refused(t, http.StatusNotFound, "")

	for _, step := range []struct {
		answer                   answer
		operation, outcome, code string
	}{
		{created, "users.create", "done", ""}, {stale, "users.update", "failed", "precondition_failed"},
		{changed, "users.update", "done", ""}, {chosen, "users.roles.set", "done", ""},
		{suspended, "users.suspend", "done", ""}, {resumed, "users.resume", "done", ""}, {removed, "users.delete", "done", ""},
	} {
		e := owner.recorded(t, step.answer, step.operation, step.outcome, step.code)
		if e.Target == nil || e.Target.ID != ada.ID || e.Actor.Label != n.ownerEmail || step.outcome == "done" && len(e.Before)+len(e.After) == 0 {
			t.Errorf("%s is recorded as %+v", step.operation, e)
		}
	}
	trail := fmt.Sprint(owner.trail(t, "target_id="+ada.ID))
	for _, secret := range []string{password, "$2a$", "$2b$"} {
		if strings.Contains(trail, secret) {
			t.Errorf("the trail holds %q", secret)
		}
	}
}

// TestUsersAreListed pages through a list, filtered and whole.
func TestUsersAreListed(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "list")
	var want []string
	for i := range 7 {
		want = append(want, n.invite(t, fmt.Sprintf("user-%d@example.com", i), "member").Email)
	}
	n.invite(t, "other@example.com")
	slices.Reverse(want) // newest first
	n.owner.do(t, "POST", "/v1/users/"+all[user](t, n.owner, "/v1/users?email=other")[0].ID+"/suspend", "").want(t, http.StatusOK)

	emails := func(path string) (out []string) {
		for _, u := range all[user](t, n.owner, path) {
			out = append(out, u.Email)
		}
		return out
	}
	everyone := append(append([]string{"other@example.com"}, want...), n.ownerEmail)
	for path, want := range map[string][]string{
		"/v1/users?limit=1": everyone, "/v1/users?limit=4": everyone, "/v1/users": everyone,
		"/v1/users?limit=3&email=USER-": want, "/v1/users?limit=2&status=invited": want,
		"/v1/users?status=suspended": {"other@example.com"}, "/v1/users?status=active": {n.ownerEmail},
		"/v1/users?email=nobody": nil,
	} {
		if got := emails(path); !slices.Equal(got, want) {
			t.Errorf("%s lists %v, want %v", path, got, want)
		}
	}
	// A list goes on where it stood, whoever joins meanwhile.
	first := read[list[user]](t, n.owner.do(t, "GET", "/v1/users?limit=4", ""))
	n.invite(t, "late@example.com")
	rest := emails("/v1/users?limit=200&cursor=" + first.NextCursor)
	if !slices.Equal(rest, everyone[4:]) {
		t.Errorf("after four users come %v, want %v", rest, everyone[4:])
	}
}

// TestRolesDecide holds people to what their roles let them do.
func TestRolesDecide(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "roles")
	_, member := n.member(t, "member@example.com", "member")
	_, auditor := n.member(t, "auditor@example.com", "auditor")
	_, admin := n.member(t, "admin@example.com", "admin")

	create := object("email", "new@example.com", "name", "New")
	refused := member.do(t, "POST", "/v1/users", create)
	refused.refused(t, http.StatusForbidden, "forbidden")
	if e := n.owner.recorded(t, refused, "users.create", "denied", "forbidden"); e.Actor.Label != "member@example.com" {
		t.Errorf("recorded %+v", e)
	}
	// The refusal comes before the body is looked at.
	member.do(t, "POST", "/v1/users", "{").refused(t, http.StatusForbidden, "forbidden")
	member.do(t, "GET", "/v1/audit/events", "").refused(t, http.StatusForbidden, "forbidden")
	auditor.do(t, "GET", "/v1/audit/events", "").want(t, http.StatusOK)
	auditor.do(t, "POST", "/v1/users", create).refused(t, http.StatusForbidden, "forbidden")
	admin.do(t, "POST", "/v1/users", object("email", "boss@example.com", "name", "Boss", "roles", []string{"owner"})).refused(t, http.StatusForbidden, "roles.beyond_own")
	admin.do(t, "POST", "/v1/users", create).want(t, http.StatusCreated)
	if found := all[user](t, n.owner, "/v1/users?email=boss"); len(found) != 0 {
		t.Errorf("a refused user is there: %+v", found)
	}
	me := read[user](t, n.owner.do(t, "GET", "/v1/me", ""))
	n.owner.do(t, "PUT", "/v1/users/"+me.ID+"/roles", object("roles", []string{"member"}), "If-Match: *").refused(t, http.StatusConflict, "roles.last_owner")
	for _, c := range []client{member, auditor, admin, n.owner} {
		c.do(t, "GET", "/v1/tenants", "").refused(t, http.StatusForbidden, "forbidden")
	}
}

// TestSameRequestAgain sends requests twice under one Idempotency-Key.
func TestSameRequestAgain(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "again")
	body := object("email", "ada@example.com", "name", "Ada")
	first := n.owner.do(t, "POST", "/v1/users", body, "Idempotency-Key: one").want(t, http.StatusCreated)
	again := n.owner.do(t, "POST", "/v1/users", body, "Idempotency-Key: one").want(t, http.StatusCreated)
	if string(first.body) != string(again.body) || first.header.Get("Location") != again.header.Get("Location") || first.header.Get("ETag") != again.header.Get("ETag") {
		t.Errorf("the second answer differs: %s, %s", first.body, again.body)
	}
	n.owner.do(t, "POST", "/v1/users", object("email", "bob@example.com", "name", "Bob"), "Idempotency-Key: one").refused(t, http.StatusUnprocessableEntity, "idempotency_key_reused")
	n.owner.do(t, "POST", "/v1/users", body).refused(t, http.StatusConflict, "users.email_taken") // without the key it is another request
	if found := all[user](t, n.owner, "/v1/users"); len(found) != 2 {
		t.Errorf("%d users, want the owner and Ada: %+v", len(found), found)
	}
	// A request that failed may be sent again under its key.
	n.owner.do(t, "POST", "/v1/users", body, "Idempotency-Key: two").refused(t, http.StatusConflict, "users.email_taken")
	n.owner.do(t, "DELETE", first.header.Get("Location"), "", "If-Match: *").want(t, http.StatusNoContent)
	n.owner.do(t, "POST", "/v1/users", body, "Idempotency-Key: two").want(t, http.StatusCreated)
}
