package wiregen_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	rolesdomain "github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/op"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// Who may do what, by the names of those who try in TestPermissions. "admin",
// say, is a user of a customer's tenant with that role and no other.
const (
	everybody = "anonymous nobody auditor member admin owner operator"
	signedIn  = "nobody auditor member admin owner operator"
	staff     = "auditor member admin owner operator"
	readers   = "auditor admin owner operator"
	workers   = "member admin owner operator"
	admins    = "admin owner operator"
	landlords = "operator" // an owner of the operator's tenant
	noRequest = ""         // background work
)

// permissions names every operation there is.
var permissions = map[string]string{
	"audit.events.get":       readers,
	"audit.events.list":      readers,
	"audit.age":              noRequest,
	"audit.expire":           noRequest,
	"audit.export":           readers,
	"audit.follow":           noRequest,
	"audit.key.get":          everybody,
	"audit.publish":          noRequest,
	"audit.seal":             noRequest,
	"audit.stream":           readers,
	"audit.stream.ticket":    readers,
	"audit.verify":           readers,
	"auth.email.confirm":     everybody,
	"auth.invitation.accept": everybody,
	"auth.login":             everybody,
	"auth.logout":            signedIn,
	"auth.mfa.verify":        everybody,
	"auth.password.forgot":   everybody,
	"auth.password.offer":    noRequest,
	"auth.password.reset":    everybody,
	"auth.refresh":           everybody,
	"authz.check":            signedIn,
	"authz.explain":          readers,
	"files.create":           workers,
	"files.delete":           workers,
	"files.download":         staff,
	"files.get":              staff,
	"files.list":             staff,
	"files.upload":           workers,
	"invitations.create":     admins,
	"invitations.list":       readers,
	"invitations.resend":     admins,
	"invitations.revoke":     admins,
	"me.email.change":        signedIn,
	"me.get":                 signedIn,
	"me.mfa.confirm":         signedIn,
	"me.mfa.remove":          signedIn,
	"me.mfa.renew_codes":     signedIn,
	"me.mfa.set_up":          signedIn,
	"me.password.set":        signedIn,
	"me.sessions.end":        signedIn,
	"me.sessions.list":       signedIn,
	"me.update":              signedIn,
	"permissions.create":     admins,
	"permissions.delete":     admins,
	"permissions.list":       staff,
	"roles.create":           admins,
	"roles.delete":           admins,
	"roles.get":              staff,
	"roles.list":             staff,
	"roles.update":           admins,
	"tenants.create":         landlords,
	"tenants.found":          noRequest,
	"tenants.get":            landlords,
	"tenants.invite_admin":   noRequest,
	"tenants.list":           landlords,
	"tenants.operations.get": landlords,
	"tenants.provision":      noRequest,
	"tenants.resume":         landlords,
	"tenants.suspend":        landlords,
	"tenants.update":         landlords,
	"users.create":           admins,
	"users.delete":           admins,
	"users.get":              staff,
	"users.list":             staff,
	"auth.keys.rotate":       noRequest,
	"users.mail.deliver":     noRequest,
	"users.resume":           admins,
	"users.roles.set":        admins,
	"users.sessions.end":     admins,
	"users.sessions.end_all": admins,
	"users.sessions.list":    readers,
	"users.suspend":          admins,
	"users.update":           admins,
}

// TestPermissionTableIsComplete: a new operation needs a row, and only jobs
// have no route.
func TestPermissionTableIsComplete(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	routes, declared := h.routes(t), map[string]bool{}
	for _, d := range h.Operations.All() {
		declared[d.Name] = true
		who, listed := permissions[d.Name]
		if !listed {
			t.Errorf("the table does not say who may run %s", d.Name)
		}
		if _, routed := routes[d.Name]; routed != (who != noRequest) || routed != (d.Guard != op.ByJob) {
			t.Errorf("%s: route %v, allowed to %q", d.Name, routed, who)
		}
	}
	for name := range permissions {
		if !declared[name] {
			t.Errorf("the table names %s, which is no operation", name)
		}
	}
}

// TestOperationsTakeTheirWordsFromThoseReserved: a tenant may have given any
// other word to a permission of its own.
func TestOperationsTakeTheirWordsFromThoseReserved(t *testing.T) {
	t.Parallel()
	products := map[string]bool{}
	for _, e := range exhibits {
		for name := range e.permissions {
			products[name] = e.product
		}
	}
	for _, d := range wiregen.Operations().All() {
		if !products[d.Name] && !rolesdomain.Reserved(d.Name) {
			t.Errorf("%s begins with a word that is not reserved for modules: tenants may use it", d.Name)
		}
	}
}

// caller is somebody who tries every operation.
type caller struct {
	n *tenant
	person
}

// client begins a new session, because one of the operations ends it.
func (c *caller) client(t *testing.T) *client {
	if c.email == "" {
		return c.n.stranger()
	}
	c.signIn(t, c.n)
	return c.n.who(c.person).with("X-Tenant", c.n.slug)
}

// TestPermissions tries every operation as everybody. Who may run it gets
// anything but 401 and 403; who may not gets these before a byte of the body
// is read, and the refusal of somebody known stands in the trail, once.
func TestPermissions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	callers := map[string]*caller{
		"anonymous": {n, person{}}, "nobody": {n, n.user(t)}, "auditor": {n, n.user(t, "auditor")}, "member": {n, n.user(t, "member")},
		"admin": {n, n.user(t, "admin")}, "owner": {n, n.owner}, "operator": {operator, operator.owner},
	}
	routes := h.routes(t)
	modules := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(routes)) {
		modules[routes[name].Module()] = append(modules[routes[name].Module()], name)
	}
	for _, module := range slices.Sorted(maps.Keys(modules)) {
		t.Run(module, func(t *testing.T) {
			for _, who := range slices.Sorted(maps.Keys(callers)) {
				for _, name := range modules[module] {
					try(t, who, callers[who], routes[name])
				}
			}
		})
	}
}

func try(t *testing.T, who string, c *caller, r route) {
	t.Helper()
	id, body := someID(), &watched{Reader: strings.NewReader(`{"not": "what is wanted"`)}
	w := c.client(t).with("Content-Type", "application/json", "Idempotency-Key", "k", "If-Match", "*").send(t, r.method, r.about(id), body)
	if allowed := slices.Contains(strings.Fields(permissions[r.Name]), who); allowed {
		if w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden {
			t.Errorf("%s may run %s and got %d: %s", who, r.Name, w.Code, w.Body)
		}
		return
	}
	if body.read {
		t.Errorf("%s as %s: the body was read before the refusal", r.Name, who)
	}
	records := c.n.records(t, w)
	if who == "anonymous" {
		if w.Code != http.StatusUnauthorized || len(records) != 0 {
			t.Errorf("%s as a stranger: %d, %d records", r.Name, w.Code, len(records))
		}
		return
	}
	if refused(t, w, http.StatusForbidden, "forbidden"); len(records) != 1 {
		t.Errorf("%s as %s left %d records", r.Name, who, len(records))
		return
	}
	if !r.takesID() {
		id = ""
	}
	e := records[0]
	if e.Operation != r.Name || e.Outcome != "denied" || e.Code != "forbidden" || e.Actor.ID == nil || *e.Actor.ID != c.id || e.Actor.Label != c.email ||
		r.Kind != "" && (e.Target == nil || e.Target.Kind != r.Kind || e.Target.ID != id) {
		t.Errorf("%s as %s is recorded as %+v, target %+v", r.Name, who, e, e.Target)
	}
}

// watched is a body that knows whether anybody looked at it.
type watched struct {
	io.Reader
	read bool
}

func (w *watched) Read(p []byte) (int, error) {
	w.read = true
	return w.Reader.Read(p)
}
