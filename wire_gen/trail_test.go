package wiregen_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	filesapi "github.com/insulahq/insula/modules/files/api"
	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	usersapi "github.com/insulahq/insula/modules/users/api"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/op"
)

// deed is one way to run an operation that writes.
type deed struct {
	do     func(t *testing.T, n *tenant) *response
	target string // kind of what the record is about
}

// done are the operations that write, each on its way to success.
var done = map[string]deed{
	"auth.login": {func(t *testing.T, n *tenant) *response { return n.login(t, n.owner.email, n.owner.password) }, "user"},
	"auth.logout": {func(t *testing.T, n *tenant) *response {
		return n.who(n.user(t)).post(t, "/v1/auth/logout", "")
	}, "user"},
	"auth.refresh": {func(t *testing.T, n *tenant) *response { return n.refresh(t, n.user(t).refresh) }, "user"},
	"auth.invitation.accept": {func(t *testing.T, n *tenant) *response {
		const email = "invited@example.com"
		n.invite(t, email)
		return n.join(t, n.h.mail.token(t, email), "correct horse battery")
	}, "user"},
	"auth.password.forgot": {func(t *testing.T, n *tenant) *response {
		return n.forget(t, n.owner.email)
	}, ""},
	"auth.password.reset": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		n.forget(t, p.email)
		return n.reset(t, n.h.mail.tokenOf(t, p.email, "Choose a new password"), "a password that is new")
	}, "user"},
	"auth.email.confirm": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		mustDo(t, n.move(t, p, "confirmed@example.com")) // all tenants share the mailbox
		return n.confirmMove(t, n.h.mail.token(t, "confirmed@example.com"))
	}, "user"},
	"auth.mfa.verify": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		a := n.protect(t, p)
		return n.secondStep(t, p, a.recovery[0])
	}, "user"},
	"me.email.change": {func(t *testing.T, n *tenant) *response { return n.move(t, n.user(t), "moving@example.com") }, "user"},
	"me.mfa.set_up":   {func(t *testing.T, n *tenant) *response { return n.setUp(t, n.user(t)) }, "user"},
	"me.mfa.confirm": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		return n.confirmApp(t, p, n.app(t, n.setUp(t, p)).Code(n.h.clock.Now()))
	}, "user"},
	"me.mfa.remove": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		n.protect(t, p)
		return n.who(p).call(t, "DELETE", "/v1/me/mfa/totp", fmt.Sprintf(`{"password":%q}`, p.password))
	}, "user"},
	"me.mfa.renew_codes": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		n.protect(t, p)
		return n.renewCodes(t, p)
	}, "user"},
	"invitations.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/invitations", `{"email":"new@example.com","roles":["member"]}`)
	}, "user"},
	"invitations.resend": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, n.openInvitation(t)+"/resend", "")
	}, "user"},
	"invitations.revoke": {func(t *testing.T, n *tenant) *response { return n.as().call(t, "DELETE", n.openInvitation(t), "") }, "user"},
	"users.sessions.end": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		mine := decode[httpx.List[usersapi.UserSession]](t, n.as().get(t, userPath(p)+"/sessions"), http.StatusOK)
		return n.as().call(t, "DELETE", userPath(p)+"/sessions/"+mine.Items[0].ID.String(), "")
	}, "user"},
	"users.sessions.end_all": {func(t *testing.T, n *tenant) *response {
		return n.as().call(t, "DELETE", userPath(n.user(t))+"/sessions", "")
	}, "user"},
	"files.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/files", `{"name":"a.txt","size":5}`)
	}, "file"},
	"files.upload": {func(t *testing.T, n *tenant) *response {
		return n.as().call(t, "PUT", n.file(t)+"/content", "hello")
	}, "file"},
	"files.delete": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "DELETE", n.file(t), "")
	}, "file"},
	"me.update": {func(t *testing.T, n *tenant) *response {
		return n.who(n.user(t)).with("If-Match", "*").call(t, "PATCH", "/v1/me", `{"name":"Grace"}`)
	}, "user"},
	"me.password.set": {func(t *testing.T, n *tenant) *response { return n.rekey(t, n.user(t), "another long password") }, "user"},
	"me.sessions.end": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		mine := decode[httpx.List[usersapi.UserSession]](t, n.who(p).get(t, "/v1/me/sessions"), http.StatusOK)
		return n.who(p).call(t, "DELETE", "/v1/me/sessions/"+mine.Items[0].ID.String(), "")
	}, "session"},
	"permissions.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/permissions", `{"name":"billing.refund","summary":"Refund a payment."}`)
	}, "permission"},
	"permissions.delete": {func(t *testing.T, n *tenant) *response {
		n.permission(t, "billing.void")
		return n.as().call(t, "DELETE", "/v1/permissions/billing.void", "")
	}, "permission"},
	"roles.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/roles", `{"name":"clerk","permissions":["users.*"],"parents":["member"]}`)
	}, "role"},
	"roles.update": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "PATCH", n.role(t, "users.list"), `{"permissions":["files.*"]}`)
	}, "role"},
	"roles.delete": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "DELETE", n.role(t), "")
	}, "role"},
	"tenants.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/tenants", fmt.Sprintf(`{"slug":"t%s","name":"New","admin_email":"new@example.com"}`, plain(someID())))
	}, "tenant"},
	"tenants.update": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "PATCH", n.customer(t), `{"name":"Renamed"}`)
	}, "tenant"},
	"tenants.suspend": {func(t *testing.T, n *tenant) *response { return n.as().post(t, n.customer(t)+"/suspend", "") }, "tenant"},
	"tenants.resume": {func(t *testing.T, n *tenant) *response {
		path := n.customer(t)
		decode[tenantsapi.Tenant](t, n.as().post(t, path+"/suspend", ""), http.StatusOK)
		return n.as().post(t, path+"/resume", "")
	}, "tenant"},
	"users.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/users", `{"email":"new@example.com","name":"New","roles":["member"]}`)
	}, "user"},
	"users.update": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "PATCH", userPath(n.user(t)), `{"name":"Grace"}`)
	}, "user"},
	"users.roles.set": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "PUT", userPath(n.user(t))+"/roles", `{"roles":["admin"]}`)
	}, "user"},
	"users.suspend": {func(t *testing.T, n *tenant) *response { return n.as().post(t, userPath(n.user(t))+"/suspend", "") }, "user"},
	"users.resume":  {func(t *testing.T, n *tenant) *response { return n.as().post(t, n.suspended(t)+"/resume", "") }, "user"},
	"users.delete": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "DELETE", userPath(n.user(t)), "")
	}, "user"},
}

// attempt is one way in which an operation that writes fails by its rules.
type attempt struct {
	do     func(t *testing.T, n *tenant) *response
	code   string
	target bool // whether the record can name what it was about
}

// failed are the operations that write, each failing.
var failed = map[string]attempt{
	"auth.login": {func(t *testing.T, n *tenant) *response {
		return n.login(t, n.owner.email, n.wrong("not the owner's password"))
	}, "users.credentials", true},
	"auth.logout": {}, // can only fail with the database
	"auth.refresh": {func(t *testing.T, n *tenant) *response {
		return n.refresh(t, n.wrong("a made up refresh token"))
	}, "users.refresh_token", false},
	"auth.invitation.accept": {func(t *testing.T, n *tenant) *response {
		return n.join(t, n.wrong("a made up invitation"), n.wrong("correct horse battery staple"))
	}, "users.invitation", false},
	"auth.password.forgot": {}, // answers everybody alike
	"auth.password.reset": {func(t *testing.T, n *tenant) *response {
		return n.reset(t, n.wrong("a made up reset token"), "a password that is new")
	}, "users.reset_token", false},
	"auth.email.confirm": {func(t *testing.T, n *tenant) *response {
		return n.confirmMove(t, n.wrong("a made up address token"))
	}, "users.email_token", false},
	"auth.mfa.verify": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		n.protect(t, p)
		return n.secondStep(t, p, n.wrong("aaaa-bbbb-cccc-dddd"))
	}, "users.second_factor", true},
	"me.email.change": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		p.password = n.wrong("not my password at all")
		return n.move(t, p, "moved@example.com")
	}, "users.current_password", true},
	"me.mfa.set_up": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		p.password = n.wrong("not my password at all")
		return n.setUp(t, p)
	}, "users.current_password", true},
	"me.mfa.confirm": {func(t *testing.T, n *tenant) *response {
		return n.confirmApp(t, n.user(t), "123456")
	}, "users.no_second_factor", true},
	"me.mfa.remove": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		return n.who(p).call(t, "DELETE", "/v1/me/mfa/totp", fmt.Sprintf(`{"password":%q}`, p.password))
	}, "users.no_second_factor", true},
	"me.mfa.renew_codes": {func(t *testing.T, n *tenant) *response {
		return n.renewCodes(t, n.user(t))
	}, "users.no_second_factor", true},
	"invitations.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/invitations", fmt.Sprintf(`{"email":%q}`, n.owner.email))
	}, "users.email_taken", true},
	"invitations.resend": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/invitations/"+n.user(t).id.String()+"/resend", "")
	}, "users.not_invited", true},
	"invitations.revoke": {func(t *testing.T, n *tenant) *response {
		return n.as().call(t, "DELETE", "/v1/invitations/"+n.user(t).id.String(), "")
	}, "users.not_invited", true},
	"users.sessions.end": {func(t *testing.T, n *tenant) *response {
		return n.as().call(t, "DELETE", userPath(n.user(t))+"/sessions/"+someID(), "")
	}, "users.session_not_found", true},
	"users.sessions.end_all": {func(t *testing.T, n *tenant) *response {
		return n.as().call(t, "DELETE", "/v1/users/"+someID()+"/sessions", "")
	}, "users.not_found", true},
	"files.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/files", `{"name":"a/b","size":5}`)
	}, "files.invalid", false},
	"files.upload": {func(t *testing.T, n *tenant) *response {
		return n.as().call(t, "PUT", n.file(t)+"/content", "too long")
	}, "files.size_mismatch", true},
	"files.delete": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", `"v7"`).call(t, "DELETE", n.file(t), "")
	}, "precondition_failed", true},
	"me.update": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", `"v77"`).call(t, "PATCH", "/v1/me", `{"name":"Grace"}`)
	}, "precondition_failed", true},
	"me.password.set": {func(t *testing.T, n *tenant) *response {
		p := n.user(t)
		p.password = n.wrong("not my password at all")
		return n.rekey(t, p, n.wrong("a password I never got"))
	}, "users.current_password", true},
	"me.sessions.end": {func(t *testing.T, n *tenant) *response {
		return n.as().call(t, "DELETE", "/v1/me/sessions/"+someID(), "")
	}, "users.session_not_found", true},
	"permissions.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/permissions", `{"name":"users.fly","summary":"Fly."}`)
	}, "roles.invalid", false},
	"permissions.delete": {func(t *testing.T, n *tenant) *response {
		return n.as().call(t, "DELETE", "/v1/permissions/users.list", "")
	}, "permissions.not_found", true},
	"roles.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/roles", `{"name":"clerk","permissions":["users.fly"]}`)
	}, "roles.invalid", false},
	"roles.update": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", `"v77"`).call(t, "PATCH", n.role(t), `{"description":"New"}`)
	}, "precondition_failed", true},
	"roles.delete": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "DELETE", n.builtIn(t, "auditor"), "")
	}, "roles.built_in", true},
	"tenants.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/tenants", `{"slug":"landlord","name":"New","admin_email":"new@example.com"}`)
	}, "tenants.slug_taken", true},
	"tenants.update": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", `"v77"`).call(t, "PATCH", n.customer(t), `{"name":"Renamed"}`)
	}, "precondition_failed", true},
	"tenants.suspend": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/tenants/"+n.id.String()+"/suspend", "")
	}, "tenants.landlord", true},
	"tenants.resume": {func(t *testing.T, n *tenant) *response { return n.as().post(t, n.customer(t)+"/resume", "") }, "tenants.status", true},
	"users.create": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, "/v1/users", fmt.Sprintf(`{"email":%q,"name":"New"}`, strings.ToUpper(n.owner.email)))
	}, "users.email_taken", true},
	"users.update": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", `"v77"`).call(t, "PATCH", userPath(n.user(t)), `{"name":"Grace"}`)
	}, "precondition_failed", true},
	"users.roles.set": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "PUT", userPath(n.user(t))+"/roles", `{"roles":["emperor"]}`)
	}, "roles.unknown", true},
	"users.suspend": {func(t *testing.T, n *tenant) *response {
		return n.as().post(t, userPath(n.owner)+"/suspend", "")
	}, "users.self", true},
	"users.resume": {func(t *testing.T, n *tenant) *response { return n.as().post(t, userPath(n.owner)+"/resume", "") }, "users.not_suspended", true},
	"users.delete": {func(t *testing.T, n *tenant) *response {
		return n.as().with("If-Match", "*").call(t, "DELETE", userPath(n.owner), "")
	}, "users.self", true},
}

// TestEveryWriteIsListed: a new operation that writes needs both its ways.
func TestEveryWriteIsListed(t *testing.T) {
	t.Parallel()
	writes := map[string]bool{}
	for _, d := range newHouse(t).Operations.All() {
		if d.Writes && d.Guard != op.ByJob {
			writes[d.Name] = true
		}
	}
	want := slices.Sorted(maps.Keys(writes))
	if got := slices.Sorted(maps.Keys(done)); !slices.Equal(got, want) {
		t.Errorf("ways to success of %v, but these write: %v", got, want)
	}
	if got := slices.Sorted(maps.Keys(failed)); !slices.Equal(got, want) {
		t.Errorf("ways to failure of %v, but these write: %v", got, want)
	}
}

// houseOf is the tenant in which an operation can be run.
func (h *house) houseOf(t *testing.T, operation string) *tenant {
	t.Helper()
	if strings.HasPrefix(operation, "tenants.") {
		return h.operator(t)
	}
	return h.tenant(t)
}

// TestWritesAreRecordedOnce runs every operation that writes: one record each,
// with its target, and no secret anywhere in what is kept.
func TestWritesAreRecordedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for operation, d := range done {
		t.Run(operation, func(t *testing.T) {
			n := h.houseOf(t, operation)
			w := d.do(t, n)
			if w.Code >= 300 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			records := n.records(t, w)
			if len(records) != 1 {
				t.Fatalf("%d records: %+v", len(records), records)
			}
			e := records[0]
			if e.Operation != operation || e.Outcome != "done" || e.Code != "" || (d.target != "") != (e.Target != nil) ||
				e.Target != nil && (e.Target.Kind != d.target || e.Target.ID == "") {
				t.Errorf("recorded as %+v, target %+v", e, e.Target)
			}
			n.keepsNoSecrets(t)
		})
	}
}

// TestFailuresAreRecordedOnce makes every operation that writes fail: one
// record each, with the code that the caller saw, and no change told.
func TestFailuresAreRecordedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for operation, a := range failed {
		if a.do == nil {
			continue
		}
		t.Run(operation, func(t *testing.T) {
			n := h.houseOf(t, operation)
			w := a.do(t, n)
			if w.Code < 400 || codeOf(w) != a.code {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			records := n.records(t, w)
			if len(records) != 1 {
				t.Fatalf("%d records: %+v", len(records), records)
			}
			e := records[0]
			if e.Operation != operation || e.Outcome != "failed" || e.Code != a.code || e.Before != nil || e.After != nil ||
				a.target != (e.Target != nil && e.Target.ID != "") {
				t.Errorf("recorded as %+v, target %+v", e, e.Target)
			}
			n.keepsNoSecrets(t)
		})
	}
}

// TestTheOperatorLeavesATraceInTheTenant: what the operator does to a tenant
// stands in the tenant's own trail too, under the same request.
func TestTheOperatorLeavesATraceInTheTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	path := "/v1/tenants/" + n.id.String()
	for operation, do := range map[string]func() *response{
		"tenants.update": func() *response {
			return operator.as().with("If-Match", "*").call(t, "PATCH", path, `{"name":"Renamed"}`)
		},
		"tenants.resume": func() *response {
			suspended := operator.as().post(t, path+"/suspend", "")
			resumed := operator.as().post(t, path+"/resume", "")
			operator.seenIn(t, n, suspended, "tenants.suspend")
			return resumed
		},
	} {
		operator.seenIn(t, n, do(), operation)
	}
}

// seenIn checks that a tenant's own trail tells what n's owner did to it.
func (n *tenant) seenIn(t *testing.T, there *tenant, w *response, operation string) {
	t.Helper()
	records := there.records(t, w)
	if len(records) != 1 || records[0].Operation != operation || records[0].Outcome != "done" ||
		records[0].Actor.Label != n.owner.email || records[0].Target == nil || records[0].Target.ID != there.id.String() {
		t.Errorf("%s (%d) stands in the tenant's trail as %+v", operation, w.Code, records)
	}
}

// keepsNoSecrets looks through every table of the tenant, the trail among
// them, and through the log: no password or token of the test is there.
func (n *tenant) keepsNoSecrets(t *testing.T) {
	t.Helper()
	for table, rows := range n.rows(t) {
		for _, row := range rows {
			if found := n.secrets.in(row); len(found) > 0 {
				t.Errorf("table %s keeps %q: %s", table, found, row)
			}
			if table == "audit_events" && strings.Contains(row, "$2a$") {
				t.Errorf("the trail keeps a hash: %s", row)
			}
		}
	}
	if found := n.secrets.in(n.h.log.String()); len(found) > 0 {
		t.Errorf("the log holds %q", found)
	}
}

// rows are all rows of all tables of the tenant's schema as text, read behind
// the wall.
func (n *tenant) rows(t *testing.T) map[string][]string {
	t.Helper()
	db, err := pgx.Connect(t.Context(), n.h.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	found, _ := db.Query(t.Context(), "SELECT tablename FROM pg_tables WHERE schemaname = $1", n.schema)
	tables, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	all := map[string][]string{}
	for _, table := range tables {
		found, _ := db.Query(t.Context(), "SELECT r::text FROM "+pgx.Identifier{n.schema, table}.Sanitize()+" AS r ORDER BY 1")
		if all[table], err = pgx.CollectRows(found, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Steps that deeds share.

func (n *tenant) wrong(text string) string {
	n.secrets.add(text)
	return text
}

func (n *tenant) refresh(t *testing.T, token string) *response {
	return n.stranger().post(t, "/v1/auth/refresh", fmt.Sprintf(`{"refresh_token":%q}`, token))
}

func (n *tenant) join(t *testing.T, token, password string) *response {
	n.secrets.add(token, password)
	return n.stranger().post(t, "/v1/auth/invitations/accept", fmt.Sprintf(`{"token":%q,"password":%q,"name":"Ada"}`, token, password))
}

func (n *tenant) rekey(t *testing.T, p person, next string) *response {
	n.secrets.add(next)
	return n.who(p).call(t, "PUT", "/v1/me/password", fmt.Sprintf(`{"current":%q,"new":%q}`, p.password, next))
}

// file declares a file of five bytes and returns its path.
func (n *tenant) file(t *testing.T) string {
	t.Helper()
	w := n.as().post(t, "/v1/files", `{"name":"a.txt","size":5}`)
	return "/v1/files/" + decode[filesapi.File](t, w, http.StatusCreated).ID.String()
}

// customer makes a tenant of the operator's and returns its path.
func (n *tenant) customer(t *testing.T) string {
	t.Helper()
	return "/v1/tenants/" + n.h.tenant(t).id.String()
}

// suspended is the path of a suspended user.
func (n *tenant) suspended(t *testing.T) string {
	t.Helper()
	path := userPath(n.user(t))
	decode[usersapi.User](t, n.as().post(t, path+"/suspend", ""), http.StatusOK)
	return path
}

func userPath(p person) string { return "/v1/users/" + p.id.String() }

// plain is an id without hyphens.
func plain(id string) string { return strings.ReplaceAll(id, "-", "") }
