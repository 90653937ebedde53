package e2e_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// refresh exchanges a refresh token.
func (c client) refresh(t *testing.T, s tokens) tokens {
	t.Helper()
	return read[tokens](t, c.stranger().do(t, "POST", "/v1/auth/refresh", object("refresh_token", s.Refresh)).want(t, http.StatusOK))
}

func TestSessions(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "sessions")
	one, other := n.owner.login(t, n.ownerEmail, password), n.owner.login(t, strings.ToUpper(n.ownerEmail), password)
	if one.Type != "Bearer" || one.Seconds < 60 || one.Refresh == other.Refresh {
		t.Errorf("login answers %+v", one)
	}
	next := n.owner.refresh(t, one)
	if next.Refresh == one.Refresh || next.Access == one.Access {
		t.Error("a refresh keeps a token")
	}
	for _, s := range []tokens{one, next, other} {
		n.owner.as(s).do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
	}

	// An access token is dead with its session, long before it expires.
	n.owner.as(next).do(t, "POST", "/v1/auth/logout", "").want(t, http.StatusNoContent)
	for _, s := range []tokens{one, next} {
		n.owner.as(s).do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "")
		n.owner.stranger().do(t, "POST", "/v1/auth/refresh", object("refresh_token", s.Refresh)).refused(t, http.StatusUnauthorized, "")
	}
	n.owner.as(other).do(t, "GET", "/v1/me", "").want(t, http.StatusOK)

	wrong := n.owner.stranger().do(t, "POST", "/v1/auth/login", object("email", n.ownerEmail, "password", "wrong"))
	unknown := n.owner.stranger().do(t, "POST", "/v1/auth/login", object("email", "nobody@example.com", "password", "wrong"))
	if a, b := wrong.refused(t, 401, ""), unknown.refused(t, 401, ""); a.Detail != b.Detail || a.Code != b.Code {
		t.Errorf("%+v tells more than %+v", a, b)
	}
	n.owner.recorded(t, wrong, "auth.login", "failed", "users.credentials")
}

// TestParallelRefreshes lets one client refresh many times at once, as the tabs
// of a browser do: all get the same successor, and the session goes on.
func TestParallelRefreshes(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "refresh")
	s := n.owner.login(t, n.ownerEmail, password)
	const tabs = 20
	answers := make([]answer, tabs)
	var group sync.WaitGroup
	for i := range tabs {
		group.Go(func() {
			var err error
			r := request{method: "POST", path: "/v1/auth/refresh", body: object("refresh_token", s.Refresh)}
			if answers[i], err = n.owner.stranger().try(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	successors := map[string]bool{}
	for _, a := range answers {
		next := read[tokens](t, a.want(t, http.StatusOK))
		successors[next.Refresh] = true
		n.owner.as(next).do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
	}
	if len(successors) != 1 {
		t.Fatalf("%d successors of one token", len(successors))
	}
	for token := range successors {
		n.owner.refresh(t, tokens{Refresh: token})
	}
}

// TestAccessTokenVerifies checks an access token as another service would: with
// the published keys and nothing of ours.
func TestAccessTokenVerifies(t *testing.T) {
	s := houseOf(t)
	n := s.landlord(t).newTenant(t, "jwks")
	parts := strings.Split(n.session.Access, ".")
	if len(parts) != 3 {
		t.Fatalf("the access token has %d parts", len(parts))
	}
	head, claims := segment[struct{ Alg, Kid, Typ string }](t, parts[0]), segment[struct {
		Iss, Sub, Tid, Sid, Jti string
		Aud                     any
		Iat, Nbf, Exp           int64
	}](t, parts[1])
	key := publishedKey(t, n.owner, head.Kid)
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), signature) {
		t.Errorf("the signature does not verify (%v)", err)
	}
	me := read[user](t, n.owner.do(t, "GET", "/v1/me", ""))
	if head.Alg != "EdDSA" || head.Typ != "at+jwt" || claims.Tid != n.id || claims.Sub != me.ID || claims.Sid == "" || claims.Jti == "" ||
		claims.Iss != s.summary.API || claims.Aud == nil || claims.Exp-claims.Iat != int64(n.session.Seconds) || claims.Nbf > claims.Iat {
		t.Errorf("the token says %+v %+v", head, claims)
	}

	// One bit of another signature, or another tenant in the claims, is no token.
	signature[7] ^= 1
	forged := n.owner
	forged.token = parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(signature)
	forged.do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "")
}

func segment[T any](t *testing.T, text string) (out T) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatalf("segment %s: %v", text, err)
	}
	return out
}

// publishedKey finds a key in the key set that the API publishes.
func publishedKey(t *testing.T, c client, kid string) ed25519.PublicKey {
	t.Helper()
	set := read[struct {
		Keys []map[string]string
	}](t, client{api: c.api}.do(t, "GET", "/.well-known/jwks.json", "").want(t, http.StatusOK))
	for _, k := range set.Keys {
		if _, private := k["d"]; private {
			t.Fatal("a private key is published")
		}
		if k["kid"] == kid && k["kty"] == "OKP" && k["crv"] == "Ed25519" {
			raw, err := base64.RawURLEncoding.DecodeString(k["x"])
			if err != nil || len(raw) != ed25519.PublicKeySize {
				t.Fatalf("key %s: %d bytes, %v", kid, len(raw), err)
			}
			return raw
		}
	}
	t.Fatalf("no key %s among %d", kid, len(set.Keys))
	return nil
}

// TestSuspendedTenant takes a tenant out of service under its users' hands and
// puts it back.
func TestSuspendedTenant(t *testing.T) {
	l := houseOf(t).landlord(t)
	n := l.newTenant(t, "suspended")
	n.owner.do(t, "GET", "/v1/me", "").want(t, http.StatusOK)

	suspended := l.operator.do(t, "POST", "/v1/tenants/"+n.id+"/suspend", "").want(t, http.StatusOK)
	n.owner.do(t, "GET", "/v1/me", "").refused(t, http.StatusForbidden, "tenant_suspended")
	n.owner.do(t, "POST", "/v1/users", object("email", "ada@example.com", "name", "Ada")).refused(t, http.StatusForbidden, "tenant_suspended")
	stranger := n.owner.stranger()
	stranger.do(t, "POST", "/v1/auth/login", object("email", n.ownerEmail, "password", password)).refused(t, http.StatusForbidden, "tenant_suspended")
	stranger.do(t, "POST", "/v1/auth/refresh", object("refresh_token", n.session.Refresh)).refused(t, http.StatusForbidden, "tenant_suspended")

	resumed := l.operator.do(t, "POST", "/v1/tenants/"+n.id+"/resume", "").want(t, http.StatusOK)
	n.owner.do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
	for a, operation := range map[*answer]string{&suspended: "tenants.suspend", &resumed: "tenants.resume"} {
		l.operator.recorded(t, *a, operation, "done", "")
		seen := n.owner.trail(t, "operation="+operation)
		if len(seen) != 1 || seen[0].Actor.ID != "" && seen[0].Actor.Label == n.ownerEmail {
			t.Errorf("the tenant's own trail knows of %s: %+v", operation, seen)
		}
	}
	if found := all[user](t, n.owner, "/v1/users"); len(found) != 1 {
		t.Errorf("a suspended tenant got users: %+v", found)
	}
}
