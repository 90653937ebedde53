package wiregen_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	usersapi "github.com/insulahq/insula/modules/users/api"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/httpx"
)

// TestAPersonsLife: invited, accepted, signed in, protected with a second
// factor, the phone lost and the account recovered, the password changed, and
// every other session over.
func TestAPersonsLife(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	const email = "grace@example.com"
	mustDo(t, n.as().post(t, "/v1/invitations", fmt.Sprintf(`{"email":%q,"roles":["member"]}`, email)))
	grace := n.accept(t, email, h.mail.token(t, email))
	elsewhere := grace
	elsewhere.signIn(t, n)

	f := n.protect(t, grace)
	if len(f.recovery) != 10 {
		t.Fatalf("%d recovery codes", len(f.recovery))
	}
	refused(t, n.who(elsewhere).get(t, "/v1/me"), http.StatusUnauthorized, "unauthenticated")
	h.clock.Advance(30 * time.Second)
	grace.hold(t, n, n.secondStep(t, grace, f.Code(h.clock.Now())))

	// The phone is gone: a recovery code signs in, once, and the second factor
	// moves to a new one.
	code := f.recovery[4]
	grace.hold(t, n, n.secondStep(t, grace, strings.ToUpper(code)))
	refused(t, n.secondStep(t, grace, code), http.StatusUnauthorized, "users.second_factor")
	mustDo(t, n.who(grace).call(t, "DELETE", "/v1/me/mfa/totp", fmt.Sprintf(`{"password":%q}`, grace.password)))
	fresh := n.protect(t, grace)
	refused(t, n.secondStep(t, grace, f.recovery[5]), http.StatusUnauthorized, "users.second_factor")
	h.clock.Advance(time.Minute)
	other := grace
	other.hold(t, n, n.secondStep(t, grace, fresh.Code(h.clock.Now())))

	// New recovery codes for the same phone: the earlier ones are void.
	refused(t, n.renewCodes(t, n.mistaken(grace)), http.StatusUnprocessableEntity, "users.current_password")
	renewed := decode[usersapi.RecoveryCodes](t, n.renewCodes(t, grace), http.StatusOK).Codes
	n.secrets.add(renewed...)
	refused(t, n.who(other).get(t, "/v1/me"), http.StatusUnauthorized, "unauthenticated")
	refused(t, n.secondStep(t, grace, fresh.recovery[0]), http.StatusUnauthorized, "users.second_factor")
	other.hold(t, n, n.secondStep(t, grace, renewed[9]))

	mustDo(t, n.rekey(t, grace, "pass+8ch")) // shorter, beside a second factor
	refused(t, n.who(other).get(t, "/v1/me"), http.StatusUnauthorized, "unauthenticated")
	if me := decode[usersapi.User](t, n.who(grace).get(t, "/v1/me"), http.StatusOK); !me.Factor || me.Email != email {
		t.Errorf("I am %+v", me)
	}
	refused(t, n.login(t, email, grace.password), http.StatusUnauthorized, "users.credentials")
	for _, subject := range []string{"A second factor was added", "The second factor was removed", "A recovery code was used", "The recovery codes", "Your password was changed"} {
		h.mail.about(t, email, subject)
	}
	n.keepsNoSecrets(t)
}

// about waits for a mail with a subject that begins like this.
func (m *mailbox) about(t *testing.T, to, subject string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		arrived := m.next()
		for _, message := range m.Sent() {
			if message.To == to && strings.HasPrefix(message.Subject, subject) {
				return
			}
		}
		select {
		case <-arrived:
		case <-deadline:
			t.Fatalf("no mail %q to %s", subject, to)
		}
	}
}

// TestAPIKeysOverHTTP: a key does what it lists and its maker may, is recorded
// as what it is, and ends at once when it, its maker or its time does.
func TestAPIKeysOverHTTP(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, elsewhere := h.tenant(t), h.tenant(t)
	admin := n.user(t, "admin")
	made := decode[usersapi.CreatedAPIKey](t, n.who(admin).post(t, "/v1/api-keys",
		strings.Replace(newAPIKey(), `"users.list"`, `"users.list","users.create"`, 1)), http.StatusCreated)
	n.secrets.add(made.Key)
	key := h.bearer(made.Key)
	mustDo(t, key.get(t, "/v1/users"))
	mustDo(t, key.post(t, "/v1/users", `{"email":"new@example.com","name":"New"}`))
	for _, w := range []*response{key.get(t, "/v1/me"), key.get(t, "/v1/roles"), key.post(t, "/v1/api-keys", newAPIKey())} {
		refused(t, w, http.StatusForbidden, "forbidden")
	}
	refused(t, key.with("X-Tenant", elsewhere.slug).get(t, "/v1/users"), http.StatusForbidden, "tenant_mismatch")

	w := key.post(t, "/v1/users", `{"email":"second@example.com","name":"New"}`)
	records := n.records(t, w)
	if len(records) != 1 || records[0].Actor.Kind != "api_key" || !strings.Contains(records[0].Actor.Label, "import") ||
		*records[0].Actor.ID != admin.id {
		t.Errorf("recorded as %+v", records)
	}
	listed := decode[httpx.List[usersapi.APIKey]](t, n.as().get(t, "/v1/api-keys"), http.StatusOK).Items
	if len(listed) != 1 || listed[0].LastUsedAt == nil || !listed[0].LastUsedAt.Equal(h.clock.Now().Truncate(time.Hour)) || !strings.HasSuffix(made.Key, listed[0].Hint) {
		t.Errorf("listed %+v", listed)
	}
	forged := []byte(made.Key)
	forged[len(forged)-3] ^= 1
	refused(t, h.bearer(string(forged)).get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")

	// What the maker loses the key has lost; what the maker is given back it
	// has again.
	roles := func(names string) {
		mustDo(t, n.as().with("If-Match", "*").call(t, "PUT", userPath(admin)+"/roles", `{"roles":`+names+`}`))
	}
	roles(`["member"]`)
	mustDo(t, key.get(t, "/v1/users"))
	refused(t, key.post(t, "/v1/users", `{"email":"third@example.com","name":"New"}`), http.StatusForbidden, "forbidden")
	mustDo(t, n.as().post(t, userPath(admin)+"/suspend", ""))
	refused(t, key.get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")
	mustDo(t, n.as().post(t, userPath(admin)+"/resume", ""))
	mustDo(t, key.get(t, "/v1/users"))
	mustDo(t, n.as().call(t, "DELETE", "/v1/api-keys/"+made.ID.String(), ""))
	refused(t, key.get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")

	late := h.bearer(n.apiKey(t).Key)
	mustDo(t, late.get(t, "/v1/users"))
	h.clock.Advance(24 * time.Hour)
	refused(t, late.get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")
	n.owner.signIn(t, n)
	n.keepsNoSecrets(t)
}

// TestASecondFactorForEverybody: who has none yet can set one up and do
// nothing else before.
func TestASecondFactorForEverybody(t *testing.T) {
	t.Parallel()
	plain := newHouse(t)
	n := plain.tenant(t)
	strict := *n
	strict.h = newHouse(t, func(c *config.Config) { c.Security.SecondFactor = true })
	owner := n.owner
	owner.signIn(t, &strict)
	w := strict.who(owner).get(t, "/v1/users")
	refused(t, w, http.StatusForbidden, "second_factor_required")
	if records := n.records(t, w); len(records) != 1 || records[0].Outcome != "denied" || records[0].Code != "second_factor_required" {
		t.Errorf("recorded as %+v", records)
	}
	mustDo(t, strict.who(owner).get(t, "/v1/me"))
	strict.protect(t, owner)
	mustDo(t, strict.who(owner).get(t, "/v1/users"))
	refused(t, strict.who(owner).call(t, "DELETE", "/v1/me/mfa/totp", fmt.Sprintf(`{"password":%q}`, owner.password)),
		http.StatusConflict, "users.second_factor_required")
}

// TestReuseIsRecordedAsAFailure: a refresh token that comes back ends its
// session, although the request fails, and the trail says why.
func TestReuseIsRecordedAsAFailure(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	p := n.user(t)
	stolen := p.refresh
	p.hold(t, n, n.refresh(t, stolen))
	h.clock.Advance(time.Minute)
	w := n.refresh(t, stolen)
	refused(t, w, http.StatusUnauthorized, "users.refresh_reused")
	refused(t, n.who(p).get(t, "/v1/me"), http.StatusUnauthorized, "unauthenticated")
	records := n.records(t, w)
	if len(records) != 1 || records[0].Outcome != "failed" || records[0].Code != "users.refresh_reused" || records[0].After == nil || targetOf(records[0]) != p.id.String() {
		t.Errorf("recorded as %+v", records)
	}
}

// TestKeysAreRotatedWithoutSigningAnybodyOut: old tokens work on, new ones are
// signed with the new key, and a node that has not looked yet learns of it
// from the first token.
func TestKeysAreRotatedWithoutSigningAnybodyOut(t *testing.T) {
	t.Parallel()
	h, other := newHouse(t), newHouse(t)
	n := h.tenant(t)
	before := n.owner
	if _, err := h.KeyRing.Store().Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 11 {
		h.clock.Advance(time.Minute)
		other.clock.Advance(time.Minute)
		if err := h.KeyRing.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.Advance(-2 * time.Minute) // the older token's ten minutes are not over
	other.clock.Advance(-2 * time.Minute)
	mustDo(t, n.who(before).get(t, "/v1/me"))
	after := n.owner
	after.signIn(t, n)
	mustDo(t, n.who(after).get(t, "/v1/me"))
	there := *n
	there.h = other
	mustDo(t, there.who(after).get(t, "/v1/me"))
	mustDo(t, there.who(before).get(t, "/v1/me"))
}

// TestListsOfUsersAreFilteredAndSorted, over HTTP and page by page.
func TestListsOfUsersAreFilteredAndSorted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	from := h.clock.Now().Add(time.Minute)
	for _, who := range []struct{ name, email, role string }{{"cleo", "z@example.com", "member"}, {"Ada", "m@example.com", "auditor"}, {"bob", "a@example.com", "member"}} {
		h.clock.Advance(time.Minute)
		mustDo(t, n.as().post(t, "/v1/users", fmt.Sprintf(`{"email":%q,"name":%q,"roles":[%q]}`, who.email, who.name, who.role)))
	}
	since := "created_from=" + from.Format(time.RFC3339)
	for query, want := range map[string]string{
		since:                            "bob Ada cleo",
		since + "&sort=name":             "Ada bob cleo",
		since + "&sort=email":            "bob Ada cleo",
		since + "&sort=name&role=member": "bob cleo",
		since + "&role=nobody":           "",
		since + "&sort=email&email=m":    "Ada",
		since + "&status=active":         "",
		since + "&created_before=" + from.Add(time.Minute).Format(time.RFC3339): "cleo",
	} {
		var names []string
		for cursor := ""; ; {
			page := decode[httpx.List[usersapi.User]](t, n.as().get(t, "/v1/users?limit=1&"+query+"&cursor="+cursor), http.StatusOK)
			for _, u := range page.Items {
				names = append(names, u.Name)
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	refused(t, n.as().get(t, "/v1/users?created_from=yesterday"), http.StatusUnprocessableEntity, "invalid")
}
