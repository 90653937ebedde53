package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// household is a tenant with everything in it that another might want.
type household struct {
	tenant
	member     client
	refresh    string // a session of the owner's, not used yet
	invitation string // for someone who has not answered yet
	invited    string // whom it is for
	request    string // id of one of the owner's requests
	content    string // of the ready file
	file       string // its id
	share      string // token of a link to it
	backup     string // id of a backup of the tenant
	// things are ids by the path that they can stand in.
	things map[string][]string
	// marks must not turn up in what anybody else is told.
	marks []string
}

// furnish makes a household. All use the same addresses, apart from the owner.
func furnish(t *testing.T, l landlord, conn *pgx.Conn, name string) household {
	t.Helper()
	h := household{tenant: l.newTenant(t, name), invited: "ivy@shared.example"}
	h.content = "What only " + h.slug + " may read.\n"
	var member user
	member, h.member = h.tenant.member(t, "sam@shared.example", "member")
	guest := h.invite(t, h.invited)
	h.invitation = h.tenant.invitation(t, h.invited, h.slug)
	h.refresh = h.owner.login(t, h.ownerEmail, password).Refresh
	upload(t, h.owner, h.slug+".txt", "An earlier version.\n")
	h.file = upload(t, h.owner, h.slug+".txt", h.content)
	h.share = shareOf(t, h.owner, h.file)
	permission := strings.ReplaceAll(name, "-", ".") + ".secret"
	h.owner.do(t, "POST", "/v1/permissions", object("name", permission, "summary", "Keep a secret of "+name+".")).want(t, http.StatusOK, http.StatusCreated)
	h.owner.do(t, "POST", "/v1/roles", object("name", "keeper", "permissions", []string{permission})).want(t, http.StatusCreated)
	pending := h.owner.do(t, "POST", "/v1/files", object("name", h.slug+"-pending.txt", "folder", h.slug, "size", 5)).want(t, http.StatusCreated)
	h.owner.do(t, "POST", "/v1/files", object("name", h.slug+"-second.txt", "folder", h.slug+"-second", "size", 5)).want(t, http.StatusCreated)
	h.request = pending.id()

	h.backup = l.backUp(t, h.tenant)

	h.things = map[string][]string{
		"/v1/users/{id}":        {read[user](t, h.owner.do(t, "GET", "/v1/me", "")).ID, member.ID, guest.ID},
		"/v1/roles/{id}":        idsIn(t, h.owner, "/v1/roles"),
		"/v1/permissions/{id}":  {permission},
		"/v1/files/{id}":        {h.file, pending.text(t, "id")},
		"/v1/me/sessions/{id}":  append(idsIn(t, h.owner, "/v1/me/sessions"), idsIn(t, h.member, "/v1/me/sessions")...),
		"/v1/audit/events/{id}": idsIn(t, h.owner, "/v1/audit/events"),
		"/v1/tenants/{id}":      {h.id},
		"/v1/operations/{id}":   query[string](t, conn, "SELECT id::text FROM control.operations WHERE tenant_id = $1", h.id),
	}
	for path, furnish := range exhibits {
		h.things[path] = furnish(t, h)
	}
	h.marks = []string{h.slug, h.ownerEmail, h.content, h.backup}
	for path, ids := range h.things {
		if len(ids) == 0 {
			t.Fatalf("%s has nothing at %s", h.slug, path)
		}
		h.marks = append(h.marks, ids...)
	}
	return h
}

// idsIn lists the ids of everything in a list.
func idsIn(t *testing.T, c client, path string) []string {
	t.Helper()
	var ids []string
	for _, item := range all[struct{ ID string }](t, c, path) {
		ids = append(ids, item.ID)
	}
	return ids
}

// references are things of the household by the name of the property or
// parameter that can point to them.
func (h household) references() map[string]string {
	member := h.things["/v1/users/{id}"][1]
	return map[string]string{
		"backup_id": h.backup, "user_id": member, "owner_id": member, "replace_with": h.things["/v1/roles/{id}"][0], "api_key_id": h.things["/v1/api-keys/{id}"][0],
	}
}

// nobodys are references to things that nobody has.
func (h household) nobodys() map[string]string {
	out := map[string]string{}
	for name := range h.references() {
		out[name] = uuid.Must(uuid.NewV7()).String()
	}
	return out
}

// secrets are what opens doors of the household, by the name of the property
// that carries it, and its references.
func (h household) secrets() map[string]string {
	out := h.references()
	maps.Copy(out, map[string]string{"refresh_token": h.refresh, "token": h.invitation, "email": h.ownerEmail, "password": password})
	return out
}

// filters are values by which a list can be asked for the household's things;
// parameters that say nothing about anybody's things have none.
func (h household) filters() map[string]string {
	return map[string]string{
		"actor": h.things["/v1/users/{id}"][0], "target_id": h.file, "request_id": h.request,
		"email": h.ownerEmail, "name": h.slug,
		"folder": "", "below": h.slug, "inside": h.slug, "type": "", "min_size": "", "max_size": "",
		"role": "", "created_from": "", "created_before": "", "sort": "", "limit": "", "status": "", "outcome": "", "from": "", "to": "", "operation": "", "target_kind": "", "proof": "", "size": "", "root": "", "format": "", "address": "", "ticket": "", "last_event_id": "", "text": h.file,
		"tenant": "", "token": "", // of links, tried with their secrets
	}
}

// state is everything that the household must keep: its rows, and what its
// owner sees of them.
func (h household) state(t *testing.T, conn *pgx.Conn) map[string]string {
	t.Helper()
	out := snapshot(t, conn, h.id)
	for _, path := range []string{"/v1/users", "/v1/roles", "/v1/files", "/v1/me", "/v1/me/sessions", "/v1/files/" + h.file + "/content"} {
		a := h.owner.do(t, "GET", path, "").want(t, http.StatusOK)
		sum := sha256.Sum256(a.body)
		out["GET "+path] = hex.EncodeToString(sum[:])
	}
	return out
}

// intruder tries the operations of the document as the owner of one household
// on the things of another.
type intruder struct {
	*document
	self, victim household
	tried        map[string]int // attempts by operation
}

// TestWalls tries every operation of the API document on another tenant's
// things: by id, by filter, cursor and reference, with its tokens, under its
// name and its host. Nothing may be told, nothing may change, and every refusal is recorded.
// The attempts follow from the document: an operation with a kind of id that
// the test does not know fails it.
func TestWalls(t *testing.T) {
	s := houseOf(t)
	conn, l := s.inspector(t), s.landlord(t)
	a, b := furnish(t, l, conn, "walls-a"), furnish(t, l, conn, "walls-b")
	in := intruder{document: readDocument(t, a.owner), self: a, victim: b, tried: map[string]int{}}
	beforeA, beforeB := a.state(t, conn), b.state(t, conn)

	for _, o := range in.operations() {
		t.Run(o.ID, func(t *testing.T) {
			in.byID(t, o)
			in.bySecret(t, o)
			in.byFilter(t, o)
			in.byReference(t, o)
			in.byName(t, o)
			if in.tried[o.ID] < 3 {
				t.Errorf("only %d attempts", in.tried[o.ID])
			}
		})
	}

	unchanged(t, "A", beforeA, a.state(t, conn))
	unchanged(t, "B", beforeB, b.state(t, conn))
	stillGood(t, b)
	t.Logf("%d attempts on %d operations", sum(in.tried), len(in.tried))
}

// stillGood shows that what was presented elsewhere was not used up.
func stillGood(t *testing.T, h household) {
	t.Helper()
	h.owner.stranger().do(t, "POST", "/v1/auth/refresh", object("refresh_token", h.refresh)).want(t, http.StatusOK)
	h.owner.accept(t, h.invitation, "Ivy Invited")
	h.owner.do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
	h.member.do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
}

func sum(counts map[string]int) (n int) {
	for _, one := range counts {
		n += one
	}
	return n
}

// attempt sends an operation, with a body that would be right at home, and
// checks that the answer tells nothing about the victim.
func (in *intruder) attempt(t *testing.T, c client, o *operation, path string, known map[string]string) answer {
	t.Helper()
	in.tried[o.ID]++
	body, contentType, err := in.body(o, known)
	if err != nil {
		t.Fatal(err)
	}
	r := request{method: o.method, path: path, body: body, header: map[string]string{}}
	if contentType != "" {
		r.header["Content-Type"] = contentType
	}
	if o.takes("header", "If-Match") {
		r.header["If-Match"] = "*"
	}
	a := c.send(t, r)
	told := string(a.body)
	for _, values := range a.header {
		told += strings.Join(values, " ")
	}
	said := path + body // what is known already is not told
	for _, mark := range in.victim.marks {
		if strings.Contains(told, mark) && !strings.Contains(said, mark) {
			t.Errorf("%s answers %d with %q of the other tenant: %s", a.what, a.status, mark, a.body)
		}
	}
	return a
}

// byID presents the victim's ids.
func (in *intruder) byID(t *testing.T, o *operation) {
	for _, id := range in.targets(t, o) {
		a := in.attempt(t, in.self.owner, o, in.victim.at(o.path, id), in.victim.secrets())
		a.want(t, http.StatusNotFound, http.StatusForbidden)
		outcome := "failed"
		if a.status == http.StatusForbidden {
			outcome = "denied"
		}
		e := in.self.owner.recorded(t, a, o.ID, outcome, a.refused(t, a.status, "").Code)
		if e.Target == nil || e.Target.ID != id || e.Actor.Label != in.self.ownerEmail {
			t.Errorf("%s is recorded without its target: %+v", a.what, e)
		}
	}
}

// at puts ids of the household into the path of an operation.
func (h household) at(path, id string) string {
	return strings.NewReplacer("{id}", id, "{session}", h.things["/v1/me/sessions/{id}"][0], "{backup_id}", h.backup).Replace(path)
}

// own is the path of an operation on a thing of the household, if it is on one.
func (h household) own(path string) string {
	head, _, _ := strings.Cut(path, "{id}")
	if ids := h.things[head+"{id}"]; len(ids) > 0 {
		return h.at(path, ids[0])
	}
	return path
}

// targets are the victim's ids that can stand in the path of an operation.
func (in *intruder) targets(t *testing.T, o *operation) []string {
	t.Helper()
	if !strings.Contains(o.path, "{") {
		return nil
	}
	head, _, _ := strings.Cut(o.path, "{id}")
	ids, known := in.victim.things[head+"{id}"]
	if !known || strings.Contains(in.victim.at(o.path, ""), "{") {
		t.Fatalf("%s %s has an id of which the test does not know what to put there: add it to the things of a household", o.method, o.path)
	}
	return ids
}

// forEverybody are the operations that answer whoever asks, with what each
// tenant shows to all the world.
var forEverybody = map[string]string{
	"audit.key.get": "the key with which anybody can check a tenant's sealed trail",
}

// tellNothing are the operations that answer everybody alike, with nothing.
var tellNothing = map[string]string{
	"auth.password.forgot": "whoever asks is not told whether somebody has the address",
}

// bySecret presents the victim's tokens and password at home.
func (in *intruder) bySecret(t *testing.T, o *operation) {
	if !o.public() {
		return
	}
	a := in.attempt(t, in.self.owner.stranger(), o, in.victim.led(o, o.path), in.victim.secrets())
	if _, open := forEverybody[o.ID]; open {
		a.want(t, http.StatusOK) // and attempt has seen that it is not the victim's
		return
	}
	if _, silent := tellNothing[o.ID]; silent {
		a.want(t, http.StatusNoContent)
		in.self.owner.recorded(t, a, o.ID, "done", "")
		return
	}
	in.self.owner.recorded(t, a, o.ID, "failed", a.refused(t, o.refusal(), "").Code)
}

// led adds to the path of a route that links lead to what a link of the
// household says.
func (h household) led(o *operation, path string) string {
	if o.ID == "files.shares.open" {
		return path + "?token=" + h.share
	}
	return path
}

// refusal is what a public operation tells who brings a secret of elsewhere:
// that it knows nobody like this or, of a link, that it leads nowhere.
func (o *operation) refusal() int {
	if o.ID == "files.shares.open" {
		return http.StatusNotFound
	}
	return http.StatusUnauthorized
}

// byFilter asks lists for the victim's things, and goes on with its cursors.
func (in *intruder) byFilter(t *testing.T, o *operation) {
	filters, references := in.victim.filters(), in.victim.references()
	for _, p := range o.Parameters {
		if _, points := references[p.Name]; points || p.In != "query" {
			continue
		}
		value, known := filters[p.Name]
		if p.Name == "cursor" {
			value, known = in.cursor(t, o), true
		}
		if !known {
			t.Fatalf("%s has a parameter %s of which the test does not know what it says: add it to the filters of a household", o.ID, p.Name)
		}
		if value == "" {
			continue
		}
		a := in.attempt(t, in.self.owner, o, in.self.own(o.path)+"?"+p.Name+"="+url.QueryEscape(value), nil)
		switch {
		case a.status == http.StatusForbidden:
			in.self.owner.recorded(t, a, o.ID, "denied", a.refused(t, a.status, "").Code)
		case o.takes("header", "Accept"): // it streams, to who asks for a stream: to others it tells nothing
			a.refused(t, http.StatusNotAcceptable, "not_acceptable")
		case p.Name == "cursor":
			if e := a.refused(t, http.StatusUnprocessableEntity, "").Errors; len(e) != 1 || e[0].Pointer != "query.cursor" {
				t.Errorf("%s answers %s", a.what, a.body)
			}
		case strings.HasPrefix(a.header.Get("Content-Type"), "application/x-ndjson"): // a line for each thing
			if found := strings.TrimSpace(string(a.want(t, http.StatusOK).body)); found != "" {
				t.Errorf("%s finds %s", a.what, found)
			}
		default:
			if found := read[list[json.RawMessage]](t, a.want(t, http.StatusOK)); len(found.Items) != 0 {
				t.Errorf("%s finds %s", a.what, found.Items)
			}
		}
	}
}

// byReference points to the victim's things in bodies and parameters of
// operations on the intruder's own. The answer must be the one to a reference
// that nobody has: neither more nor otherwise.
func (in *intruder) byReference(t *testing.T, o *operation) {
	theirs, nobodys := in.victim.references(), in.self.nobodys()
	path := o.path
	if own := in.self.things[path[:strings.Index(path+"{", "{")]+"{id}"]; len(own) > 0 {
		path = strings.ReplaceAll(path, "{id}", own[0])
	}
	pointed := false
	ask := func(known map[string]string) (a answer, told string) {
		body, _, err := in.body(o, known)
		if err != nil {
			t.Fatal(err)
		}
		where := path
		for _, p := range o.Parameters {
			if _, points := known[p.Name]; points && p.In == "query" {
				where = withQuery(where, p.Name, known[p.Name])
			}
		}
		for _, id := range known {
			pointed = pointed || strings.Contains(where+body, id)
		}
		if !pointed {
			return a, ""
		}
		a = in.attempt(t, in.self.owner, o, where, known)
		told = strings.ReplaceAll(string(a.body), a.id(), "request")
		for _, id := range known {
			told = strings.ReplaceAll(told, id, "reference")
		}
		return a, told
	}
	a, told := ask(theirs)
	if !pointed {
		return
	}
	if b, same := ask(nobodys); a.status != b.status || told != same {
		t.Errorf("%s answers %d %s to another tenant's reference, and %d %s to nobody's", a.what, a.status, told, b.status, same)
	}
	switch {
	case a.status == http.StatusForbidden:
		in.self.owner.recorded(t, a, o.ID, "denied", a.refused(t, a.status, "").Code)
	case a.status >= http.StatusBadRequest:
		in.self.owner.recorded(t, a, o.ID, "failed", a.refused(t, a.status, "").Code)
	}
}

// cursor is where the victim's owner would go on in a list. A list that only
// the operator may see has none for them.
func (in *intruder) cursor(t *testing.T, o *operation) string {
	t.Helper()
	a := in.victim.owner.do(t, "GET", in.victim.own(o.path)+"?limit=1", "").want(t, http.StatusOK, http.StatusForbidden)
	if a.status == http.StatusForbidden {
		return "x"
	}
	cursor := read[list[json.RawMessage]](t, a).NextCursor
	if cursor == "" {
		t.Fatalf("%s has only one page of %s", in.victim.slug, o.path)
	}
	return cursor
}

// byName calls the victim by header, by host and by both, with tokens of
// another tenant.
func (in *intruder) byName(t *testing.T, o *operation) {
	path := o.path
	if ids := in.targets(t, o); len(ids) > 0 {
		path = in.victim.at(path, ids[0])
	}
	self, victim := in.self.owner, in.victim.slug
	byHeader, byHost, byBoth := self, self, self
	byHeader.tenant = victim
	byHost.tenant, byHost.host = "", victim+"."+baseDomain
	byBoth.host = victim + "." + baseDomain
	if o.public() {
		_, open := forEverybody[o.ID]
		for _, c := range []client{byHeader, byHost} {
			if open { // what the victim shows to all the world is for this stranger too
				in.tried[o.ID]++
				c.stranger().do(t, o.method, path, "").want(t, http.StatusOK)
				continue
			}
			a := in.attempt(t, c.stranger(), o, in.self.led(o, path), in.self.secrets())
			if _, silent := tellNothing[o.ID]; silent {
				a.want(t, http.StatusNoContent)
				in.victim.owner.recorded(t, a, o.ID, "done", "")
				continue
			}
			in.victim.owner.recorded(t, a, o.ID, "failed", a.refused(t, o.refusal(), "").Code)
		}
		in.attempt(t, byBoth.stranger(), o, path, in.self.secrets()).refused(t, http.StatusBadRequest, "tenant_ambiguous")
		return
	}
	for i, c := range []client{byHeader, byHost} {
		a := in.attempt(t, c, o, path, in.victim.secrets())
		a.refused(t, http.StatusForbidden, "tenant_mismatch")
		if i == 0 { // of a burst of equal refusals the first is recorded, and the others are counted
			in.self.owner.recorded(t, a, o.ID, "denied", "tenant_mismatch")
		}
	}
	a := in.attempt(t, byBoth, o, path, in.victim.secrets())
	a.refused(t, http.StatusBadRequest, "tenant_ambiguous")
	in.self.owner.recorded(t, a, o.ID, "denied", "tenant_ambiguous")
}

// TestSameAddressInTwoTenants shows that people of two tenants may share an
// address and nothing else: accounts, passwords, names, roles and ends.
func TestSameAddressInTwoTenants(t *testing.T) {
	l := houseOf(t).landlord(t)
	a, b := l.newTenant(t, "same-a"), l.newTenant(t, "same-b")
	const shared = "sam@shared.example"
	inA, asA := a.member(t, shared, "member")
	_, asB := b.member(t, shared, "admin")
	asB.do(t, "PUT", "/v1/me/password", object("current", password, "new", password+" of B")).want(t, http.StatusNoContent)

	a.owner.stranger().do(t, "POST", "/v1/auth/login", object("email", shared, "password", password+" of B")).refused(t, http.StatusUnauthorized, "users.credentials")
	b.owner.stranger().do(t, "POST", "/v1/auth/login", object("email", shared, "password", password)).refused(t, http.StatusUnauthorized, "users.credentials")
	a.owner.login(t, shared, password)
	b.owner.login(t, shared, password+" of B")

	a.owner.do(t, "POST", "/v1/users/"+inA.ID+"/suspend", "").want(t, http.StatusOK)
	asA.do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "")
	me := read[user](t, asB.do(t, "GET", "/v1/me", "").want(t, http.StatusOK))
	if me.ID == inA.ID || me.Status != "active" || !slices.Equal(me.Roles, []string{"admin"}) {
		t.Errorf("in B %s is %+v", shared, me)
	}
}

// TestTenantByHost serves a tenant under its own host name.
func TestTenantByHost(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "by-host")
	c := n.owner
	c.tenant, c.host = "", n.slug+"."+baseDomain
	c = c.as(c.login(t, n.ownerEmail, password))
	c.do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
	c.host = "nobody." + baseDomain
	c.stranger().do(t, "POST", "/v1/auth/login", object("email", n.ownerEmail, "password", password)).refused(t, http.StatusNotFound, "tenant_unknown")
	c.host = ""
	c.stranger().do(t, "POST", "/v1/auth/login", object("email", n.ownerEmail, "password", password)).refused(t, http.StatusBadRequest, "tenant_required")
}
