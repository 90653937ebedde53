package wiregen_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	filesapi "github.com/insulahq/insula/modules/files/api"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	usersinfra "github.com/insulahq/insula/modules/users/infra"
	usersservice "github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/s3x"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// worked are the jobs that leave a record, by what their records are about.
// TestJobsAreRecorded, TestCopiesAreRecorded and TestGraceEndsInErasure make
// all of them work.
var worked = map[string]string{
	"audit.expire":             "audit_trail",
	"auth.password.offer":      "user",
	"files.clear":              "file_store",
	"files.examine":            "file",
	"files.find":               "file",
	"files.give_up":            "file",
	"files.lose":               "file",
	"files.purge":              "file",
	"files.requeue":            "file",
	"tenants.backups.expire":   "backup",
	"tenants.backups.schedule": "tenant",
	"tenants.conclude":         "tenant",
	"tenants.copy":             "tenant",
	"tenants.discard":          "backup",
	"tenants.expire":           "tenant",
	"tenants.found":            "tenant",
	"tenants.invite_admin":     "user",
	"tenants.pack":             "tenant",
	"tenants.provision":        "tenant",
	"tenants.relocate":         "tenant",
	"tenants.relocated":        "tenant",
	"tenants.unpack":           "tenant",
	"users.mail.deliver":       "mail",
}

// TestEveryJobIsListed: background work leaves a record, unless it says why not
// or changes nothing.
func TestEveryJobIsListed(t *testing.T) {
	t.Parallel()
	recorded := map[string]bool{}
	byHand := []string{ // at the command line, where somebody is named
		usersservice.RotateKeys.Name,   // of the installation: TestRotationsAreRecorded
		tenantsservice.GiveUpMove.Name, // TestAMoveToALostServerIsGivenUp
	}
	for _, d := range wiregen.Operations().All() {
		if d.Guard == op.ByJob && d.Writes && d.Quiet == "" && !slices.Contains(byHand, d.Name) {
			recorded[d.Name] = true
		}
	}
	want, got := slices.Sorted(maps.Keys(recorded)), slices.Sorted(maps.Keys(worked))
	if !slices.Equal(got, want) {
		t.Errorf("listed are %v, but these leave records: %v", got, want)
	}
}

// TestJobsAreRecorded has each kind of background work done that leaves a
// record: it names the job as who did it, and what it was about.
func TestJobsAreRecorded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *config.Config) { c.Audit.Retention = 40 * 24 * time.Hour })
	n := h.tenant(t)
	p := n.user(t)
	n.forget(t, p.email)
	h.mail.tokenOf(t, p.email, "Choose a new password")
	lost := n.litter(t)
	n.seal(t)
	h.clock.Set(h.clock.Now().Add(31 * 24 * time.Hour)) // more than deleted files are kept
	served, err := h.Directory.ByID(t.Context(), n.id)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := wiregen.FileSweeper(h.Process).Sweep(t.Context(), served, false); err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := h.blobs.Put(t.Context(), lost, strings.NewReader("hello"), 5, "text/plain"); err != nil {
		t.Fatal(err)
	}
	if r, err := wiregen.FileSweeper(h.Process).Sweep(t.Context(), served, false); err != nil || r.Found != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	n.owner.signIn(t, n)
	for job, kind := range worked {
		if job == "audit.expire" || slices.Contains(copying, job) || slices.Contains(erasing, job) {
			continue
		}
		at := n
		if job == "tenants.found" {
			at = h.operator(t)
		}
		at.tellsOfJob(t, job, kind)
	}
	h.clock.Set(h.clock.Now().Add(10 * 24 * time.Hour))
	if removed, err := h.Retention.Expire(t.Context(), served); err != nil || removed == 0 {
		t.Fatalf("%d removed, %v", removed, err)
	}
	n.owner.signIn(t, n)
	n.tellsOfJob(t, "audit.expire", "audit_trail")
}

// copying are the jobs that work on copies of tenants, in the operator's name.
var copying = []string{"tenants.backups.expire", "tenants.backups.schedule", "tenants.copy", "tenants.discard", "tenants.pack", "tenants.relocate", "tenants.relocated", "tenants.unpack"}

// TestCopiesAreRecorded has copies of a tenant made and one removed.
func TestCopiesAreRecorded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	source, backup := operator.backup(t, h.tenant(t))
	path := "/v1/tenants/" + source
	operator.must(t, operator.as().post(t, path+"/clone", fmt.Sprintf(`{"slug":%q,"name":"New"}`, newSlug())))
	operator.must(t, operator.as().post(t, path+"/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"New"}`, backup, newSlug())))
	mustDo(t, operator.as().with("If-Match", "*").call(t, "DELETE", path+"/backups/"+backup, ""))
	operator.scheduled(t, h.tenant(t))
	operator.moved(t, h.tenant(t), second)
	for _, job := range copying {
		operator.tellsOfJob(t, job, worked[job])
	}
}

// TestRotationsAreRecorded: who makes the next signing key, at the command line
// or by schedule, stands in the operator's trail, with the key.
func TestRotationsAreRecorded(t *testing.T) {
	t.Parallel()
	const every = 30 * 24 * time.Hour
	h := newHouse(t, func(c *config.Config) { c.Security.KeyRotation = every })
	operator := h.operator(t)
	h.passKeys(t, 24*time.Hour) // whose keys end here, no other test is left to use
	for _, compromised := range []bool{false, true} {
		if err := wiregen.RotateKeys(t.Context(), h.Process, compromised); err != nil {
			t.Fatal(err)
		}
		operator.tellsOfKey(t, "operator")
	}
	h.passKeys(t, every)
	operator.tellsOfKey(t, "job")
}

// passKeys lets all signing keys grow at least as old as this: those of other
// tests too, which share them.
func (h *house) passKeys(t *testing.T, age time.Duration) {
	t.Helper()
	keys, err := h.KeyRing.Store().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if then := key.CreatedAt.Add(age); then.After(h.clock.Now()) {
			h.clock.Set(then)
		}
	}
}

// tellsOfKey checks that the newest record of a rotation names a key that there
// is, and who made it.
func (n *tenant) tellsOfKey(t *testing.T, actor string) {
	t.Helper()
	if err := n.h.KeyRing.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.owner.signIn(t, n)
	found := n.events(t, "outcome=done&operation=auth.keys.rotate")
	keys, err := n.h.KeyRing.Store().List(t.Context())
	if err != nil || len(found) == 0 {
		t.Fatalf("recorded %+v, %v", found, err)
	}
	e := found[0]
	known := slices.ContainsFunc(keys, func(k usersinfra.KeyInfo) bool { return k.ID == e.Target.ID })
	if e.Actor.Kind != actor || e.Target.Kind != "signing_key" || !known {
		t.Errorf("recorded as %+v, target %+v", e, e.Target)
	}
}

// tellsOfJob checks what the trail has of a job.
func (n *tenant) tellsOfJob(t *testing.T, job, kind string) {
	t.Helper()
	found := n.events(t, "outcome=done&operation="+job)
	for deadline := time.Now().Add(patience); len(found) == 0; found = n.events(t, "outcome=done&operation="+job) { // queued work comes by itself
		if time.Now().After(deadline) {
			t.Errorf("%s left no record", job)
			return
		}
	}
	for _, e := range found {
		if e.Outcome != "done" || e.Actor.Kind != "job" || e.Actor.Label != job || e.Target == nil || e.Target.Kind != kind || e.Target.ID == "" {
			t.Errorf("%s is recorded as %+v, target %+v", job, e, e.Target)
		}
	}
}

// litter leaves behind what the sweep of files finds: an upload that nobody
// finishes, a deleted file, one that nobody decides about, one whose content
// is lost, and an object that no file names. It returns what is lost.
func (n *tenant) litter(t *testing.T) s3x.Key {
	t.Helper()
	n.file(t)
	deleted := n.fileID(t, "deleted.txt", "hello")
	mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", "/v1/files/"+deleted, ""))
	stuck := decode[filesapi.File](t, n.as().post(t, "/v1/files", `{"name":"stuck.txt","size":5}`), http.StatusCreated)
	follow(t, stuck.Upload.Link, "hello")
	gone := n.lose(t, n.fileID(t, "lost.txt", "hello"))
	db, err := pgx.Connect(t.Context(), n.h.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	table, uploads := pgx.Identifier{n.schema, "files"}.Sanitize(), pgx.Identifier{n.schema, "file_uploads"}.Sanitize()
	if _, err := db.Exec(t.Context(), "UPDATE "+table+" f SET status = 'scanning', object_id = u.object_id FROM "+uploads+" u WHERE u.file_id = f.id AND f.id = $1", stuck.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := n.h.blobs.Put(t.Context(), s3x.TenantKey(n.id, uuid.New()), strings.NewReader("stray"), 5, "text/plain"); err != nil {
		t.Fatal(err)
	}
	return gone
}

// lose takes the content of a file out of the store, and returns where it was.
func (n *tenant) lose(t *testing.T, file string) s3x.Key {
	t.Helper()
	db, err := pgx.Connect(t.Context(), n.h.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	var object uuid.UUID
	err = db.QueryRow(t.Context(), "SELECT object_id FROM "+pgx.Identifier{n.schema, "files"}.Sanitize()+" WHERE id = $1", file).Scan(&object)
	if err != nil {
		t.Fatal(err)
	}
	gone := s3x.TenantKey(n.id, object)
	if err := n.h.blobs.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	return gone
}
