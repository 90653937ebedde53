package wiregen_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	usersapi "github.com/insulahq/insula/modules/users/api"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/op"
)

// again is the client with an Idempotency-Key.
func (c *client) again(key string) *client { return c.with("Idempotency-Key", key) }

// newUser is a body that adds a user.
func newUser(email string) string {
	return fmt.Sprintf(`{"email":%q,"name":"Grace Hopper","roles":["member"]}`, email)
}

// called finds the users whose address begins so.
func (n *tenant) called(t *testing.T, prefix string) []usersapi.User {
	t.Helper()
	return decode[httpx.List[usersapi.User]](t, n.as().get(t, "/v1/users?email="+prefix), http.StatusOK).Items
}

// created counts the records of users who were added.
func (n *tenant) created(t *testing.T) (done int) {
	t.Helper()
	return len(n.events(t, "operation=users.create&outcome=done"))
}

// TestARequestThatComesAgainHasOneEffect: same key, same body, same answer.
func TestARequestThatComesAgainHasOneEffect(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	first := n.as().again("k").post(t, "/v1/users", newUser("grace@example.com"))
	if first.Code != http.StatusCreated || first.Header().Get("Location") == "" {
		t.Fatalf("%d %v", first.Code, first.Header())
	}
	for range 3 {
		w := n.as().again("k").post(t, "/v1/users", newUser("grace@example.com"))
		if w.Code != first.Code || w.Body.String() != first.Body.String() {
			t.Errorf("%d %s, first %d %s", w.Code, w.Body, first.Code, first.Body)
		}
		for _, name := range []string{"Location", "ETag", "Content-Type"} {
			if w.Header().Get(name) != first.Header().Get(name) {
				t.Errorf("%s %q, first %q", name, w.Header().Get(name), first.Header().Get(name))
			}
		}
	}
	if found, records := n.called(t, "grace"), n.created(t); len(found) != 1 || records != 1 {
		t.Errorf("%d users, %d records", len(found), records)
	}
	h.mail.token(t, "grace@example.com") // the mail has left
	if sent := h.mailTo("grace@example.com"); sent != 1 {
		t.Errorf("%d invitations", sent)
	}
	n.keepsNoSecrets(t)
}

// TestEveryPostCanComeAgain: whatever a POST answers, it answers again under
// its key. Signing in and out are not among them: they deal in tokens.
func TestEveryPostCanComeAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	waiting := n.invite(t, "waiting@example.com").ID.String()
	about := map[string]string{
		"invitations.resend": waiting,
		"users.suspend":      n.user(t).id.String(), "users.resume": strings.TrimPrefix(n.suspended(t), "/v1/users/"),
		"files.parts": n.fileID(t, "parts", ""), "files.complete": n.fileID(t, "complete", "hello"), "files.abort": n.fileID(t, "abort", ""),
		"files.undelete": n.fileID(t, "undelete", "hello"), "files.restore": n.fileID(t, "restore", "hello"),
		"files.shares.create": n.fileID(t, "shared", "hello"),
		"tenants.suspend":     h.tenant(t).id.String(), "tenants.resume": h.tenant(t).id.String(),
		"tenants.undelete": h.tenant(t).id.String(), "tenants.move": h.tenant(t).id.String(),
	}
	erased := h.tenant(t)
	erased.delete(t)
	about["tenants.erase"] = erased.id.String()
	mustDo(t, operator.as().post(t, "/v1/tenants/"+about["tenants.resume"]+"/suspend", ""))
	mustDo(t, operator.remove(t, "/v1/tenants/"+about["tenants.undelete"]))
	mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", "/v1/files/"+about["files.undelete"], ""))
	n.fileID(t, "restore", "world") // makes the other an earlier version
	source, backup := operator.backup(t, h.tenant(t))
	about["tenants.backups.create"], about["tenants.clone"], about["tenants.restore"] = source, source, source
	bodies := map[string]string{
		"tenants.restore":    fmt.Sprintf(`{"backup_id":%q,"slug":"t%s","name":"New"}`, backup, plain(uuid.NewString())),
		"tenants.clone":      fmt.Sprintf(`{"slug":"t%s","name":"New"}`, plain(uuid.NewString())),
		"tenants.move":       object("placement", second),
		"invitations.create": `{"email":"hopper@example.com"}`,
		"users.create":       newUser("grace@example.com"), "files.create": `{"name":"a.txt","size":0,"content_type":"text/plain"}`,
		"roles.create":  `{"name":"clerk","permissions":["users.*"],"parents":["member"]}`,
		"authz.explain": `{"permission":"users.list"}`, "permissions.create": `{"name":"billing.refund","summary":"Refund a payment."}`,
		"tenants.create": fmt.Sprintf(`{"slug":"t%s","name":"New","admin_email":"new@example.com"}`, plain(uuid.NewString())),
	}
	for _, e := range exhibits {
		maps.Copy(bodies, e.bodies)
	}
	bodies["tenants.erase"] = object("slug", erased.slug)
	for name, r := range h.routes(t) {
		if r.method != http.MethodPost || !r.Grantable() {
			continue
		}
		if !r.Writes && r.Records { // reading again, such as for another ticket, is another reading
			continue
		}
		who := n
		if r.Guard == op.ByLandlord {
			who = operator
		}
		key := uuid.NewString()
		first := who.as().again(key).post(t, r.about(about[name]), bodies[name])
		second := who.as().again(key).post(t, r.about(about[name]), bodies[name])
		mustDo(t, first)
		if first.Code != second.Code || first.Body.String() != second.Body.String() ||
			first.Header().Get("Location") != second.Header().Get("Location") || first.Header().Get("ETag") != second.Header().Get("ETag") {
			t.Errorf("%s: %d %s, then %d %s", name, first.Code, first.Body, second.Code, second.Body)
		}
		if records := who.records(t, second); len(records) != 0 {
			t.Errorf("%s: coming again it left %+v", name, records)
		}
	}
}

// mailTo counts the mails to an address.
func (h *house) mailTo(address string) (sent int) {
	for _, m := range h.mail.Sent() {
		if m.To == address {
			sent++
		}
	}
	return sent
}

// TestAKeyStandsForOneRequest: with another body, path or operation it is
// refused; another caller's is another key, and so is no key.
func TestAKeyStandsForOneRequest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, elsewhere := h.tenant(t), h.tenant(t)
	admin := n.user(t, "admin")
	p, q := n.user(t), n.user(t)
	mustDo(t, n.as().again("k").post(t, "/v1/users", newUser("grace@example.com")))
	mustDo(t, n.as().again("p").post(t, userPath(p)+"/suspend", ""))
	for name, w := range map[string]*response{
		"another body":      n.as().again("k").post(t, "/v1/users", newUser("grace2@example.com")),
		"one space more":    n.as().again("k").post(t, "/v1/users", newUser("grace@example.com")+" "),
		"another operation": n.as().again("k").post(t, "/v1/files", `{"name":"a","size":1}`),
		"another path":      n.as().again("p").post(t, userPath(q)+"/suspend", ""),
	} {
		if refused(t, w, http.StatusUnprocessableEntity, "idempotency_key_reused"); t.Failed() {
			t.Fatal(name)
		}
	}
	mustDo(t, n.who(admin).again("k").post(t, "/v1/users", newUser("alan@example.com")))
	mustDo(t, elsewhere.as().again("k").post(t, "/v1/users", newUser("grace@example.com")))
	refused(t, n.as().post(t, "/v1/users", newUser("grace@example.com")), http.StatusConflict, "users.email_taken")
	refused(t, n.as().again(strings.Repeat("k", 201)).post(t, "/v1/users", newUser("x@example.com")), http.StatusUnprocessableEntity, "invalid")
	if found := n.called(t, "grace"); len(found) != 1 {
		t.Errorf("%d users", len(found))
	}
}

// TestAFailureIsNotKept: a request that failed may come again under its key.
func TestAFailureIsNotKept(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	taken := n.invite(t, "grace@example.com")
	refused(t, n.as().again("k").post(t, "/v1/users", newUser("grace@example.com")), http.StatusConflict, "users.email_taken")
	mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", "/v1/users/"+taken.ID.String(), ""))
	mustDo(t, n.as().again("k").post(t, "/v1/users", newUser("grace@example.com")))
}

// TestAKeyDoesNotOutliveTheRight: who lost the permission does not get the
// answer again.
func TestAKeyDoesNotOutliveTheRight(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	admin := n.user(t, "admin")
	mustDo(t, n.who(admin).again("k").post(t, "/v1/users", newUser("grace@example.com")))
	mustDo(t, n.as().with("If-Match", "*").call(t, "PUT", userPath(admin)+"/roles", `{"roles":["member"]}`))
	refused(t, n.who(admin).again("k").post(t, "/v1/users", newUser("grace@example.com")), http.StatusForbidden, "forbidden")
}

// TestParallelRequestsWithOneKey: of twenty at once one takes effect; the
// others get its answer, or hear that it is still running.
func TestParallelRequestsWithOneKey(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	answers := make([]*response, 20)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = n.as().again("k").post(t, "/v1/users", newUser("grace@example.com")) })
	}
	group.Wait()
	found := n.called(t, "grace")
	if len(found) != 1 || n.created(t) != 1 {
		t.Fatalf("%d users, %d records", len(found), n.created(t))
	}
	made := 0
	for _, w := range answers {
		if w.Code == http.StatusConflict && codeOf(w) == "idempotency_key_running" && w.Header().Get("Retry-After") != "" {
			continue
		}
		made++
		if u := decode[usersapi.User](t, w, http.StatusCreated); u.ID != found[0].ID {
			t.Errorf("%+v, but the user is %+v", u, found[0])
		}
	}
	if made == 0 {
		t.Error("nobody got the answer")
	}
}

// TestCreatingATenantAgainSendsNoSecondInvitation: the one that was sent stays
// good.
func TestCreatingATenantAgainSendsNoSecondInvitation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	slug := "t" + plain(uuid.NewString())
	email := "owner@" + slug + ".example"
	key, body := uuid.NewString(), fmt.Sprintf(`{"slug":%q,"name":"New","admin_email":%q}`, slug, email)
	var made []tenantsapi.Tenant
	var locations []string
	for range 2 {
		w := operator.as().again(key).post(t, "/v1/tenants", body)
		made = append(made, decode[tenantsapi.Tenant](t, w, http.StatusCreated))
		locations = append(locations, w.Header().Get("Location"))
	}
	if made[0] != made[1] || !slices.Equal(locations, []string{locations[0], locations[0]}) {
		t.Errorf("%+v at %v", made, locations)
	}
	if sent := h.mailTo(email); sent != 1 {
		t.Errorf("%d invitations", sent)
	}
	n := &tenant{h: h, id: made[0].ID, slug: slug, secrets: &secrets{}}
	mustDo(t, n.join(t, tokenIn(t, h.mail.Sent()[0].Text), "correct horse battery"))
}
