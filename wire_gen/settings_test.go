package wiregen_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	settingsapi "github.com/insulahq/insula/modules/settings/api"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
)

// What the tests of the whole house must know about settings.
var _ = show(exhibit{
	permissions: map[string]string{
		"settings.get": readers, "settings.update": admins,
		"tenants.settings.get": landlords, "tenants.settings.update": landlords,
	},
	done: map[string]deed{
		"settings.update": {func(t *testing.T, n *tenant) *response { return n.set(t, "users.session_idle", `"2h"`) }, "settings"},
		"tenants.settings.update": {func(t *testing.T, n *tenant) *response {
			return n.as().with("If-Match", "*").call(t, "PATCH", n.customer(t)+"/settings", setting("audit.legal_hold", "true"))
		}, "settings"},
	},
	failed: map[string]attempt{
		"settings.update": {func(t *testing.T, n *tenant) *response { return n.set(t, "audit.legal_hold", "true") }, "settings.operator_only", true},
		"tenants.settings.update": {func(t *testing.T, n *tenant) *response {
			return n.as().with("If-Match", "*").call(t, "PATCH", n.customer(t)+"/settings", setting("users.session_idle", "7"))
		}, "settings.invalid", true},
	},
	bodies: map[string]string{
		"settings.update": setting("users.session_idle", `"3h"`), "tenants.settings.update": setting("users.session_idle", `"3h"`),
	},
})

// setting is a body that sets one.
func setting(name, value string) string { return fmt.Sprintf(`{"values":{%q:%s}}`, name, value) }

// set changes a setting of the tenant, as its owner.
func (n *tenant) set(t *testing.T, name, value string) *response {
	t.Helper()
	return n.as().with("If-Match", "*").call(t, "PATCH", "/v1/settings", setting(name, value))
}

// settingOf finds one setting in an answer that shows them.
func settingOf(t *testing.T, w *response, name string) settingsapi.Setting {
	t.Helper()
	for _, s := range decode[settingsapi.Settings](t, w, http.StatusOK).Settings {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setting %s", name)
	return settingsapi.Setting{}
}

// TestSettingsAreAdjusted: shown with their defaults, changed by version,
// refused whole when a part is wrong, and taken back.
func TestSettingsAreAdjusted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	first := n.as().get(t, "/v1/settings")
	idle := settingOf(t, first, "users.session_idle")
	if idle.Value != "168h" || idle.Default != "168h" || idle.ChangedAt != nil || idle.ChangedBy != "tenant" || first.Header().Get("ETag") != `"v1"` {
		t.Errorf("at first %+v, %v", idle, first.Header())
	}
	refused(t, n.as().call(t, "PATCH", "/v1/settings", setting("users.session_idle", `"2h"`)), http.StatusPreconditionRequired, "precondition_required")
	w := n.as().with("If-Match", `"v1"`).call(t, "PATCH", "/v1/settings", `{"values":{"users.session_idle":"90m","files.types":["image/*"]}}`)
	if idle = settingOf(t, w, "users.session_idle"); idle.Value != "1h30m" || idle.Default != "168h" || idle.ChangedAt == nil || w.Header().Get("ETag") != `"v2"` {
		t.Errorf("changed %+v, %v", idle, w.Header())
	}
	refused(t, n.as().with("If-Match", `"v1"`).call(t, "PATCH", "/v1/settings", setting("users.session_idle", `"2h"`)), http.StatusPreconditionFailed, "precondition_failed")
	if w := n.as().with("If-None-Match", `"v2"`).get(t, "/v1/settings"); w.Code != http.StatusNotModified {
		t.Errorf("the same again: %d", w.Code)
	}
	wrong := n.as().with("If-Match", "*").call(t, "PATCH", "/v1/settings",
		`{"values":{"users.session_idle":"3h","users.session_lifetime":"1m","files.downloads":"carrier pigeon","no.such":1}}`)
	refused(t, wrong, http.StatusUnprocessableEntity, "settings.invalid")
	if got := settingOf(t, n.as().get(t, "/v1/settings"), "users.session_idle"); got.Value != "1h30m" {
		t.Errorf("after a refusal %+v", got)
	}
	of := "/v1/tenants/" + n.id.String() + "/settings"
	mustDo(t, operator.as().with("If-Match", `"v2"`).call(t, "PATCH", of, `{"values":{"files.quota_bytes":10,"users.session_idle":null}}`))
	w = n.as().get(t, "/v1/settings")
	if got := settingOf(t, w, "files.quota_bytes"); got.Value != 10.0 || got.ChangedBy != "operator" {
		t.Errorf("set by the operator %+v", got)
	}
	if got := settingOf(t, operator.as().get(t, of), "users.session_idle"); got.Value != "168h" || got.ChangedAt != nil {
		t.Errorf("taken back %+v", got)
	}
	refused(t, n.as().post(t, "/v1/files", `{"name":"a","size":11}`), http.StatusRequestEntityTooLarge, "files.quota_exceeded")
}

// TestSettingsAreAudited, before and after, and on both sides when the
// operator changes those of a tenant.
func TestSettingsAreAudited(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	w := n.set(t, "users.session_idle", `"2h"`)
	adjusted(t, n, w, "settings.update", `{"values":{"users.session_idle":"168h"}}`, `{"values":{"users.session_idle":"2h"}}`)
	w = operator.as().with("If-Match", "*").call(t, "PATCH", "/v1/tenants/"+n.id.String()+"/settings", setting("users.session_idle", `"3h"`))
	for _, side := range []*tenant{n, operator} {
		adjusted(t, side, w, "tenants.settings.update", `{"values":{"users.session_idle":"2h"}}`, `{"values":{"users.session_idle":"3h"}}`)
	}
}

// TestTheOperatorAdjustsASuspendedTenant, with a record on both sides, and what
// was set holds when the tenant is back.
func TestTheOperatorAdjustsASuspendedTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	path := "/v1/tenants/" + n.id.String()
	mustDo(t, operator.as().post(t, path+"/suspend", ""))
	w := operator.as().with("If-Match", "*").call(t, "PATCH", path+"/settings", setting("users.require_second_factor", "true"))
	if got := settingOf(t, w, "users.require_second_factor"); got.Value != true {
		t.Errorf("changed to %+v", got)
	}
	if got := settingOf(t, operator.as().get(t, path+"/settings"), "users.require_second_factor"); got.Value != true {
		t.Errorf("shown as %+v", got)
	}
	refused(t, operator.as().with("If-Match", "*").call(t, "PATCH", path+"/settings", setting("users.session_idle", "7")), http.StatusUnprocessableEntity, "settings.invalid")
	mustDo(t, operator.as().post(t, path+"/resume", ""))
	refused(t, n.as().get(t, "/v1/users"), http.StatusForbidden, "second_factor_required")
	mustDo(t, operator.as().with("If-Match", "*").call(t, "PATCH", path+"/settings", setting("users.require_second_factor", "null")))
	for _, side := range []*tenant{n, operator} {
		adjusted(t, side, w, "tenants.settings.update", `{"values":{"users.require_second_factor":false}}`, `{"values":{"users.require_second_factor":true}}`)
	}
}

// TestSettingsHoldAtTheNextRequest on another node, with Redis away as with it:
// nothing about them is in Redis.
func TestSettingsHoldAtTheNextRequest(t *testing.T) {
	t.Parallel()
	here := newHouse(t)
	away := newHouse(t, func(c *config.Config) { c.Redis.URL = secret.New("redis://127.0.0.1:1/0") })
	n := here.tenant(t)
	there := *n
	there.h = away
	mustDo(t, there.as().get(t, "/v1/users")) // both know the tenant now
	operator := here.operator(t)
	require := func(value string) {
		mustDo(t, operator.as().with("If-Match", "*").call(t, "PATCH", "/v1/tenants/"+n.id.String()+"/settings", setting("users.require_second_factor", value)))
	}
	for range 3 {
		require("true")
		refused(t, there.as().get(t, "/v1/users"), http.StatusForbidden, "second_factor_required")
		require("null")
		mustDo(t, there.as().get(t, "/v1/users"))
	}
	// What is decided about strangers follows the settings too.
	session := n.owner
	session.signIn(t, &there)
	mustDo(t, n.set(t, "users.session_idle", `"1h"`))
	away.clock.Advance(61 * time.Minute)
	refused(t, there.refresh(t, session.refresh), http.StatusUnauthorized, "users.refresh_token")
}

// TestUnknownSettingsHaveNoEffect: what is stored and nobody declares any more
// is shown as that, and can be taken away.
func TestUnknownSettingsHaveNoEffect(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	mustDo(t, n.set(t, "users.session_idle", `"2h"`))
	n.behindTheWall(t, `INSERT INTO settings (name, value, changed_at) VALUES ('users.gone', '{"a": 1}', $1)`, h.clock.Now())
	n.behindTheWall(t, `UPDATE settings SET value = '"5s"' WHERE name = 'users.session_idle'`)
	w := n.as().get(t, "/v1/settings")
	if got := settingOf(t, w, "users.session_idle"); got.Value != "168h" || got.ChangedAt != nil {
		t.Errorf("below its bounds %+v", got)
	}
	unknown := decode[settingsapi.Settings](t, w, http.StatusOK).Unknown
	if len(unknown) != 2 || unknown[0].Name != "users.gone" || unknown[1].Name != "users.session_idle" || unknown[1].Reason == "" {
		t.Errorf("unknown %+v", unknown)
	}
	w = n.as().with("If-Match", "*").call(t, "PATCH", "/v1/settings", `{"values":{"users.gone":null,"users.session_idle":null}}`)
	if left := decode[settingsapi.Settings](t, w, http.StatusOK).Unknown; len(left) != 0 {
		t.Errorf("left %+v", left)
	}
	refused(t, n.set(t, "users.gone", "null"), http.StatusUnprocessableEntity, "settings.invalid")
}

// adjusted checks that a request left one record of an operation with this
// change.
func adjusted(t *testing.T, n *tenant, w *response, operation, before, after string) {
	t.Helper()
	mustDo(t, w)
	records := n.records(t, w)
	if len(records) != 1 {
		t.Fatalf("%s recorded %d times", operation, len(records))
	}
	e := records[0]
	if got, want := inJSON(t, e.Before)+inJSON(t, e.After), before+after; e.Operation != operation || e.Outcome != "done" || got != want || targetOf(e) == "" {
		t.Errorf("recorded %+v with %s, want %s", e, got, want)
	}
}

func inJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// behindTheWall runs a statement in the tenant's schema with all rights.
func (n *tenant) behindTheWall(t *testing.T, sql string, args ...any) {
	t.Helper()
	n.database(t).BehindTheWall(t, sql, args...)
}

// database is the tenant as a fixture.
func (n *tenant) database(t *testing.T) pgtest.Fixture {
	return pgtest.Fixture{DB: pgtest.Database(t), Tenant: tenancy.Tenant{ID: n.id, Schema: n.schema}}
}

// TestWebOriginsAreTheTenants: who may read a tenant's answers in a browser is
// its own affair, for people and for strangers at its door.
func TestWebOriginsAreTheTenants(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, other := h.tenant(t), h.tenant(t)
	const page = "https://app.example.com"
	refused(t, n.set(t, "tenants.web_origins", `["https://app.example.com/path"]`), http.StatusUnprocessableEntity, "settings.invalid")
	mustDo(t, n.set(t, "tenants.web_origins", `["`+page+`"]`))
	login := `{"email":"nobody@example.com","password":"a password that is wrong"}`
	for who, want := range map[*tenant]string{n: page, other: ""} {
		for name, w := range map[string]*response{
			"signed in": who.as().with("Origin", page).get(t, "/v1/me"),
			"stranger":  who.stranger().with("Origin", page).post(t, "/v1/auth/login", login),
		} {
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s: %d, allowed %q, want %q", name, w.Code, got, want)
			}
		}
	}
}
