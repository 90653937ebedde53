package wiregen_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/tenancy"
)

var _ = show(exhibit{
	permissions: map[string]string{
		"tenants.backups.create": landlords, "tenants.backups.list": landlords, "tenants.backups.get": landlords,
		"tenants.backups.delete": landlords, "tenants.restore": landlords, "tenants.clone": landlords,
		"tenants.pack": noRequest, "tenants.unpack": noRequest, "tenants.copy": noRequest, "tenants.discard": noRequest,
		"tenants.backups.fetch": noRequest, "tenants.backups.schedule": noRequest, "tenants.backups.expire": noRequest,
	},
	done: map[string]deed{
		"tenants.backups.create": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/backups", "")
		}, "tenant"},
		"tenants.backups.delete": {func(t *testing.T, n *tenant) *response {
			source, backup := n.backup(t, n.h.tenant(t))
			return n.as().with("If-Match", "*").call(t, "DELETE", "/v1/tenants/"+source+"/backups/"+backup, "")
		}, "backup"},
		"tenants.restore": {func(t *testing.T, n *tenant) *response {
			source, backup := n.backup(t, n.h.tenant(t))
			return n.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"New"}`, backup, newSlug()))
		}, "tenant"},
		"tenants.clone": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/clone", fmt.Sprintf(`{"slug":%q,"name":"New"}`, newSlug()))
		}, "tenant"},
	},
	failed: map[string]attempt{
		"tenants.backups.create": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, "/v1/tenants/"+n.id.String()+"/backups", "")
		}, "tenants.landlord_copy", true},
		"tenants.backups.delete": {func(t *testing.T, n *tenant) *response {
			return n.as().with("If-Match", "*").call(t, "DELETE", n.customer(t)+"/backups/"+someID(), "")
		}, "tenants.backup_not_found", true},
		"tenants.restore": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/restore", fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, someID()))
		}, "tenants.backup_not_found", true},
		"tenants.clone": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/clone", `{"slug":"landlord","name":"New"}`)
		}, "tenants.slug_taken", true},
	},
})

func newSlug() string { return "t" + plain(uuid.NewString()) }

// follow waits for the end of the operation that an answer names, and returns
// it as the operator sees it.
func (n *tenant) follow(t *testing.T, w *response) tenantsapi.Operation {
	t.Helper()
	if w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	path := w.Header().Get("Location")
	id := uuid.MustParse(strings.TrimPrefix(path, "/v1/operations/"))
	for {
		<-n.h.Copier.Start(id) // joins the attempt that is under way
		if o := decode[tenantsapi.Operation](t, n.as().get(t, path), http.StatusOK); o.Status != "running" {
			return o
		}
	}
}

// must is follow for what has to succeed.
func (n *tenant) must(t *testing.T, w *response) tenantsapi.Operation {
	t.Helper()
	o := n.follow(t, w)
	if o.Status != "succeeded" || o.Progress != 100 || o.Error != nil {
		t.Fatalf("%+v %+v", o, o.Error)
	}
	return o
}

// backup backs up a tenant and returns its id and that of the backup.
func (n *tenant) backup(t *testing.T, of *tenant) (source, backup string) {
	t.Helper()
	source = of.id.String()
	w := n.as().post(t, "/v1/tenants/"+source+"/backups", "")
	n.must(t, w)
	return source, decode[tenantsapi.Backup](t, w, http.StatusAccepted).ID.String()
}

// twin is a copy of a tenant, with the same owner signed in.
func (n *tenant) twin(t *testing.T, of *tenant, o tenantsapi.Operation) *tenant {
	t.Helper()
	made, err := n.h.Directory.ByID(t.Context(), o.TenantID)
	if err != nil {
		t.Fatal(err)
	}
	twin := &tenant{h: n.h, id: made.ID, slug: made.Slug, schema: made.Schema, owner: of.owner, secrets: &secrets{}}
	twin.owner.signIn(t, twin)
	return twin
}

// households furnishes a tenant for a copy, and returns a file of it.
func (h *house) household(t *testing.T) (n *tenant, file string) {
	t.Helper()
	return h.householdIn(t, tenancy.MainPlacement)
}

// householdIn is household in a placement.
func (h *house) householdIn(t *testing.T, placement string) (n *tenant, file string) {
	t.Helper()
	n = h.tenantIn(t, placement)
	n.user(t, "member")
	n.role(t, "users.list")
	file = n.file(t)
	mustDo(t, n.as().call(t, "PUT", file+"/content", "hello"))
	n.apiKey(t)
	n.seal(t)
	return n, file
}

// carried are the tables that any copy has as they were.
var carried = []string{"users", "roles", "user_roles", "role_parents", "files", "file_usage", "authenticators", "recovery_codes", "custom_permissions"}

// TestABackupBecomesANewTenant: with the people, roles, files and records of
// the old one; without its sessions and API keys; and with a trail of its own.
func TestABackupBecomesANewTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, file := h.household(t)
	before := n.rows(t)
	source, backup := operator.backup(t, n)
	path := "/v1/tenants/" + source + "/backups/" + backup
	b := decode[tenantsapi.Backup](t, operator.as().get(t, path), http.StatusOK)
	if b.Status != "complete" || b.At == nil || b.Files != 1 || b.FileBytes != 5 || b.Rows < 10 || b.Size < 1000 || len(b.SHA256) != 64 || b.Slug != n.slug {
		t.Errorf("the backup is %+v", b)
	}
	mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", file, ""))
	n.user(t)

	o := operator.must(t, operator.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"Restored"}`, backup, newSlug())))
	twin := operator.twin(t, n, o)
	after := twin.rows(t)
	for _, table := range carried {
		if !slices.Equal(before[table], after[table]) {
			t.Errorf("table %s was\n%s\nand is\n%s", table, before[table], after[table])
		}
	}
	for _, table := range []string{"api_keys", "file_shares", "one_time_tokens", "outbox", "idempotency_keys"} {
		if len(after[table]) > 0 {
			t.Errorf("table %s has %s", table, after[table])
		}
	}
	if len(after["refresh_tokens"]) != 1 || len(after["sessions"]) != 1 {
		t.Errorf("sessions %s", after["sessions"]) // only the one that has just begun
	}
	if w := twin.as().get(t, file+"/content"); w.Body.String() != "hello" {
		t.Errorf("the file is %d %s", w.Code, w.Body)
	}
	refused(t, twin.with(t, n.owner), http.StatusForbidden, "tenant_mismatch")
	twin.seal(t)
	if verified := twin.as().get(t, "/v1/audit/verify"); verified.Code != http.StatusOK || !strings.Contains(verified.Body.String(), `"fits":true`) {
		t.Errorf("the new trail: %d %s", verified.Code, verified.Body)
	}
	if len(twin.events(t, "operation=roles.create")) != 1 {
		t.Error("the records did not come along")
	}
}

// with presents a token of another tenant at this one's address.
func (n *tenant) with(t *testing.T, p person) *response {
	t.Helper()
	return n.h.bearer(p.token).with("X-Tenant", n.slug).get(t, "/v1/me")
}

// TestATenantGoesBackInPlace: to what it had, but for its trail, which tells of
// that too. Everybody signs in again, and nothing of the old schema is left.
func TestATenantGoesBackInPlace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, file := h.household(t)
	h.operator(t).goesBack(t, n, n, file)
}

// goesBack puts a tenant back in place; rows are where its rows are found.
func (n *tenant) goesBack(t *testing.T, back, rows *tenant, file string) {
	t.Helper()
	h := back.h
	key := back.apiKey(t)
	before := rows.rows(t)
	source, backup := n.backup(t, back)
	fresh := back.user(t)
	mustDo(t, back.as().with("If-Match", "*").call(t, "DELETE", back.role(t, "files.get"), ""))
	mustDo(t, back.as().with("If-Match", "*").call(t, "DELETE", file, ""))
	for object, err := range h.Blobs.List(t.Context(), back.id) { // deleted for good
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Blobs.Delete(t.Context(), object.Key); err != nil {
			t.Fatal(err)
		}
	}
	back.seal(t)
	events := rows.rows(t)["audit_events"]

	n.must(t, n.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, backup)))
	refused(t, back.as().get(t, "/v1/me"), http.StatusUnauthorized, "unauthenticated")
	back.owner.signIn(t, back)
	refused(t, back.login(t, fresh.email, fresh.password), http.StatusUnauthorized, "users.credentials")
	mustDo(t, h.bearer(key.Key).get(t, "/v1/users"))
	if w := back.as().get(t, file+"/content"); w.Body.String() != "hello" {
		t.Errorf("the file is %d %s", w.Code, w.Body)
	}
	back.seal(t)
	if w := back.as().get(t, "/v1/audit/verify"); !strings.Contains(w.Body.String(), `"fits":true`) {
		t.Errorf("the trail: %d %s", w.Code, w.Body)
	}
	old := back.schema
	now, err := h.Directory.ByID(t.Context(), back.id)
	if err != nil || now.Schema == old {
		t.Fatalf("the schema is %s, %v", now.Schema, err)
	}
	back.schema, rows.schema = now.Schema, now.Schema
	after := rows.rows(t)
	for _, table := range carried {
		if !slices.Equal(before[table], after[table]) {
			t.Errorf("table %s was\n%s\nand is\n%s", table, before[table], after[table])
		}
	}
	for _, e := range events {
		if !slices.Contains(after["audit_events"], e) {
			t.Errorf("the trail lost %s", e)
		}
	}
	if len(back.events(t, "operation=tenants.restore")) != 1 || len(back.events(t, "operation=tenants.backups.create")) != 1 {
		t.Error("the trail does not tell what the operator did")
	}
	for _, house := range []*house{h, rows.h} {
		if left := house.leftOf(t, old); left != 0 {
			t.Errorf("%d left of the old schema", left)
		}
	}
}

// TestARestoreInPlaceWaitsForTheSwapAlone: while somebody looks at the trail by
// hand, the tenant works on, and no second attempt reads the archive again.
func TestARestoreInPlaceWaitsForTheSwapAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	source, backup := operator.backup(t, n)
	db, err := pgx.Connect(t.Context(), h.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	if _, err := db.Exec(t.Context(), "BEGIN; LOCK TABLE "+pgx.Identifier{n.schema, "audit_events"}.Sanitize()+" IN ACCESS SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	w := operator.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, backup))
	for range 2 {
		h.until(t, "the swap tries", func() bool { return h.number(t, waitingIn, n.schema) > 0 })
		mustDo(t, n.as().get(t, "/v1/audit/events"))
		h.until(t, "the swap lets go", func() bool { return h.number(t, waitingIn, n.schema) == 0 })
	}
	if _, err := db.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	o := operator.must(t, w)
	if attempts := h.number(t, "SELECT attempts FROM control.copies WHERE operation_id = $1", o.ID); attempts != 1 {
		t.Errorf("it took %d attempts", attempts)
	}
}

// until waits for what must happen by itself.
func (h *house) until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); {
		if time.Now().After(deadline) {
			t.Fatalf("it has not happened that %s:\n%s", what, h.log)
		}
	}
}

// waitingIn counts who waits for a table of a schema.
const waitingIn = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE NOT l.granted AND c.relnamespace = $1::regnamespace"

// leftOf counts what the database has under the name of a schema.
func (h *house) leftOf(t *testing.T, schema string) int {
	t.Helper()
	return int(h.number(t, `SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1) + (SELECT count(*) FROM pg_roles WHERE rolname = $1)
		+ (SELECT count(*) FROM control.tenants WHERE schema_name = $1)`, schema))
}

// TestAClone: another tenant with the same people, that knows nothing of the
// first any more.
func TestAClone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, file := h.household(t)
	before := n.rows(t)
	w := operator.as().post(t, "/v1/tenants/"+n.id.String()+"/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone"}`, newSlug()))
	twin := operator.twin(t, n, operator.must(t, w))
	after := twin.rows(t)
	for _, table := range carried {
		if !slices.Equal(before[table], after[table]) {
			t.Errorf("table %s was\n%s\nand is\n%s", table, before[table], after[table])
		}
	}
	operator.seenIn(t, n, w, "tenants.clone")
	mustDo(t, twin.as().with("If-Match", "*").call(t, "DELETE", file, ""))
	if w := n.as().get(t, file+"/content"); w.Body.String() != "hello" {
		t.Errorf("the file of the first is %d %s", w.Code, w.Body)
	}
	refused(t, twin.with(t, n.owner), http.StatusForbidden, "tenant_mismatch")
	refused(t, n.with(t, twin.owner), http.StatusForbidden, "tenant_mismatch")
}

// archiveOf is the object of a backup.
func (h *house) archiveOf(t *testing.T, backup string) s3x.Key {
	t.Helper()
	b, err := h.Copies.Backup(t.Context(), uuid.MustParse(backup))
	if err != nil {
		t.Fatal(err)
	}
	return s3x.ArchiveKey(b.Object)
}

// TestADamagedArchiveIsRefused, cut or changed, in place and for a new tenant,
// and nothing is left of the attempt.
func TestADamagedArchiveIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, file := h.household(t)
	source, backup := operator.backup(t, n)
	key, before := h.archiveOf(t, backup), n.rows(t)
	content, err := h.Blobs.Get(t.Context(), key, s3x.Range{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(whole)
	changed[bytes.Index(whole, []byte("hello"))] ^= 1
	slug := newSlug()
	for name, text := range map[string][]byte{"cut": whole[:len(whole)-2000], "changed": changed, "longer": append(bytes.Clone(whole), 0), "empty": {}} {
		if _, err := h.Blobs.Put(t.Context(), key, bytes.NewReader(text), int64(len(text)), "application/x-tar"); err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{`{"backup_id":%q,"in_place":true}`, `{"backup_id":%q,"slug":"` + slug + `","name":"New"}`} {
			w := operator.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(body, backup))
			o := operator.follow(t, w)
			if o.Status != "failed" || o.Error == nil || o.Error.Code != "tenants.archive_damaged" {
				t.Errorf("%s: %+v %+v", name, o, o.Error)
			}
			c, err := h.Copies.Copy(t.Context(), o.ID)
			if err != nil {
				t.Fatal(err)
			}
			if left := h.leftOf(t, c.Schema); left != 0 {
				t.Errorf("%s: %d left of %s", name, left, c.Schema)
			}
		}
	}
	mustDo(t, n.as().get(t, file+"/content"))
	after := n.rows(t)
	for _, table := range append(carried, "sessions", "api_keys") {
		if !slices.Equal(before[table], after[table]) {
			t.Errorf("table %s was\n%s\nand is\n%s", table, before[table], after[table])
		}
	}
}

// TestBackupsAreOfTheirTenant: another tenant's backup is not to be had by
// naming a tenant of one's choice, and one that is in use or under way stays.
func TestBackupsAreOfTheirTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, other := h.tenant(t), h.tenant(t)
	_, backup := operator.backup(t, n)
	theirs := "/v1/tenants/" + other.id.String()
	refused(t, operator.as().get(t, theirs+"/backups/"+backup), http.StatusNotFound, "tenants.backup_not_found")
	refused(t, operator.as().with("If-Match", "*").call(t, "DELETE", theirs+"/backups/"+backup, ""), http.StatusNotFound, "tenants.backup_not_found")
	for _, body := range []string{`{"backup_id":%q,"in_place":true}`, `{"backup_id":%q,"slug":"stolen","name":"New"}`} {
		refused(t, operator.as().post(t, theirs+"/restore", fmt.Sprintf(body, backup)), http.StatusNotFound, "tenants.backup_not_found")
	}
	if listed := decode[httpx.List[tenantsapi.Backup]](t, operator.as().get(t, theirs+"/backups"), http.StatusOK).Items; len(listed) != 0 {
		t.Errorf("listed %+v", listed)
	}
	mine := "/v1/tenants/" + n.id.String() + "/backups"
	for range 2 {
		operator.backup(t, n)
	}
	first := decode[httpx.List[tenantsapi.Backup]](t, operator.as().get(t, mine+"?limit=2"), http.StatusOK)
	rest := decode[httpx.List[tenantsapi.Backup]](t, operator.as().get(t, mine+"?limit=2&cursor="+first.NextCursor), http.StatusOK)
	if len(first.Items) != 2 || len(rest.Items) != 1 || rest.Items[0].ID.String() != backup {
		t.Errorf("pages %+v, %+v", first.Items, rest.Items)
	}
	refused(t, operator.as().get(t, theirs+"/backups?limit=2&cursor="+first.NextCursor), http.StatusUnprocessableEntity, "invalid_cursor")

	key := h.archiveOf(t, backup)
	shown := operator.as().get(t, mine+"/"+backup)
	refused(t, operator.as().call(t, "DELETE", mine+"/"+backup, ""), http.StatusPreconditionRequired, "precondition_required")
	mustDo(t, operator.as().with("If-Match", shown.Header().Get("ETag")).call(t, "DELETE", mine+"/"+backup, ""))
	<-h.Copier.Start(uuid.MustParse(backup))
	refused(t, operator.as().get(t, mine+"/"+backup), http.StatusNotFound, "tenants.backup_not_found")
	if _, err := h.Blobs.Head(t.Context(), key); err == nil {
		t.Error("the archive is still there")
	}
}

// attempt waits for the attempt that an accepted request began, and returns
// the operation as it is then.
func (n *tenant) attempt(t *testing.T, w *response) tenantsapi.Operation {
	t.Helper()
	if w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	path := w.Header().Get("Location")
	<-n.h.Copier.Start(uuid.MustParse(strings.TrimPrefix(path, "/v1/operations/")))
	return decode[tenantsapi.Operation](t, n.as().get(t, path), http.StatusOK)
}

// TestTheStoreGoesAwayAtEveryStep of a backup, a clone and both restores: the
// attempt fails and says so, and once the store is back the next one succeeds.
func TestTheStoreGoesAwayAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, placement := range []string{tenancy.MainPlacement, second} {
		t.Run(placement, func(t *testing.T) { t.Parallel(); storeGoesAway(t, placement) })
	}
}

// storeGoesAway tries that with a tenant in a placement.
func storeGoesAway(t *testing.T, placement string) {
	t.Helper()
	h := newHouse(t)
	operator := h.operator(t)
	n, file := h.householdIn(t, placement)
	source, backup := operator.backup(t, n)
	for name, request := range copyRequests(source, backup) {
		broken := 0
		for calls := 0; ; calls++ {
			path, body := request()
			h.blobs.FailAfter(calls, s3x.ErrUnavailable)
			w := operator.as().post(t, path, body)
			first := operator.attempt(t, w)
			h.blobs.FailWith(nil)
			if first.Status == "succeeded" {
				break // it was done with so many calls
			}
			broken++
			if first.Status == "running" && first.Error != nil && first.Error.Code != "unavailable" || first.Status == "failed" {
				t.Fatalf("%s without its call %d: %+v %+v", name, calls, first, first.Error)
			}
			operator.must(t, w)
		}
		if broken == 0 {
			t.Errorf("%s never used the store", name)
		}
	}
	n.owner.signIn(t, n)
	if w := n.as().get(t, file+"/content"); w.Body.String() != "hello" {
		t.Errorf("the file is %d %s", w.Code, w.Body)
	}
}

// TestAnArchiveGoesAwayAtEveryStep of a restore in place: before the swap the
// tenant stays as it was, and after it nobody takes the new schema away.
func TestAnArchiveGoesAwayAtEveryStep(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, file := h.household(t)
	source, backup := operator.backup(t, n)
	body, failed, lost := fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, backup), 0, 0
	for calls, over := 0, false; !over; calls++ {
		h.blobs.FailAfter(calls, s3x.ErrNotFound)
		w := operator.as().post(t, "/v1/tenants/"+source+"/restore", body)
		first := operator.attempt(t, w)
		h.blobs.FailWith(nil)
		switch over = first.Status == "succeeded"; first.Status {
		case "failed":
			failed++
			if first.Error.Code == "tenants.files_lost" {
				lost++
				h.isOver(t, first.ID)
				break
			}
			c, err := h.Copies.Copy(t.Context(), first.ID)
			if err != nil {
				t.Fatal(err)
			}
			if left := h.leftOf(t, c.Schema); left != 0 {
				t.Errorf("without its call %d the restore failed (%s) and left %d of %s", calls, first.Error.Code, left, c.Schema)
			}
		case "running":
			operator.must(t, w)
		}
		n.owner.signIn(t, n)
		if w := n.as().get(t, file+"/content"); w.Body.String() != "hello" {
			t.Fatalf("without its call %d the restore is %+v, and the file %d %s", calls, first, w.Code, w.Body)
		}
	}
	if failed == 0 || lost == 0 {
		t.Errorf("%d restores failed for want of their archive, %d of them after the swap", failed, lost)
	}
}

// TestWhatFailsForGoodLeavesNothing: a clone whose files are gone ends after its
// schema was made, which is taken away again.
func TestWhatFailsForGoodLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	n.lose(t, n.fileID(t, "lost.txt", "hello"))
	w := operator.as().post(t, "/v1/tenants/"+n.id.String()+"/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone"}`, newSlug()))
	o := operator.follow(t, w)
	if o.Status != "failed" || o.Error == nil || o.Error.Code != "tenants.file_missing" {
		t.Fatalf("%+v %+v", o, o.Error)
	}
	c, err := h.Copies.Copy(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if left := h.leftOf(t, c.Schema); left != 0 {
		t.Errorf("%d left of %s", left, c.Schema)
	}
}

// isOver fails the test unless nothing is left to do for a restore in place,
// and nothing is there of the schema that it has replaced.
func (h *house) isOver(t *testing.T, operation uuid.UUID) {
	t.Helper()
	c, err := h.Copies.Copy(t.Context(), operation)
	if err != nil {
		t.Fatal(err)
	}
	if left := h.leftOf(t, c.OldSchema); left != 0 || c.Step != "over" {
		t.Errorf("the restore is %s, and %d left of the old schema", c.Step, left)
	}
}
