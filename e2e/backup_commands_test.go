package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// begunWork is what commands print of long work with --json.
type begunWork struct {
	Operation longWork
	Backup    shownBackup
	Slug      string
}

type shownBackup struct {
	ID, Status, Reason, SHA256 string
	Rows, Files, Size          int64
}

// insulaJSON runs a command and reads the JSON that it prints.
func insulaJSON[T any](t *testing.T, s *stack, args ...string) T {
	t.Helper()
	var out T
	if text := s.insula(t, append(args, "--json")...); json.Unmarshal(text, &out) != nil {
		t.Fatalf("insula %s prints %s", strings.Join(args, " "), text)
	}
	return out
}

// complains runs a command that must fail, and returns what it says.
func (s *stack) complains(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), must(binary("insula"))(t), args...)
	cmd.Env = s.environment()
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("insula %s succeeds: %s", strings.Join(args, " "), out)
	}
	return string(out)
}

// TestBackupByCommand backs a tenant up, takes the archive out, clones the
// tenant, restores it as a new one and in place and removes the backup, with
// the binary alone. All of it stands in the trails of both sides.
func TestBackupByCommand(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t)
	l := s.found(t, v)
	n := l.newTenant(t, "kept")
	file := upload(t, n.owner, "kept.txt", "content")

	made := insulaJSON[begunWork](t, s, "tenant", "backup", n.slug, "--wait")
	if made.Operation.Status != "succeeded" || made.Operation.Progress != 100 || made.Backup.Status != "complete" || made.Backup.Reason != "request" || made.Backup.Files != 1 {
		t.Fatalf("insula tenant backup prints %+v", made)
	}
	backup := made.Backup.ID
	if listed := string(s.insula(t, "tenant", "backups", n.slug)); !strings.Contains(listed, backup+"  complete  request") {
		t.Errorf("insula tenant backups prints %s", listed)
	}
	s.fetches(t, n, made.Backup)

	restored, cloned := fmt.Sprintf("restored-%d", slugs.Add(1)), fmt.Sprintf("cloned-%d", slugs.Add(1))
	said := string(s.insula(t, "tenant", "restore", n.slug, "--backup", backup, "--as", restored, "--wait"))
	if !strings.Contains(said, "tenants.restore succeeded, 100 %") || !strings.Contains(said, "tenant "+restored+" is ready") {
		t.Errorf("insula tenant restore prints %s", said)
	}
	begun := insulaJSON[begunWork](t, s, "tenant", "clone", n.slug, "--as", cloned, "--name", "Cloned") // the server does it
	if begun.Operation.Status != "running" || begun.Slug != cloned {
		t.Errorf("insula tenant clone prints %+v", begun)
	}
	if done := insulaJSON[begunWork](t, s, "tenant", "follow", begun.Operation.ID); done.Operation.Status != "succeeded" {
		t.Errorf("insula tenant follow prints %+v", done)
	}
	for _, slug := range []string{restored, cloned} {
		c := client{api: v.api, tenant: slug}
		c = c.as(c.login(t, n.ownerEmail, password))
		if got := c.do(t, "GET", "/v1/files/"+file+"/content", "").want(t, http.StatusOK); string(got.body) != "content" {
			t.Errorf("the file of %s is %q", slug, got.body)
		}
	}
	late := upload(t, n.owner, "late.txt", "too late")
	s.insula(t, "tenant", "restore", n.slug, "--backup", backup, "--in-place", "--wait")
	n.owner = n.owner.as(n.owner.login(t, n.ownerEmail, password))
	n.owner.do(t, "GET", "/v1/files/"+late, "").refused(t, http.StatusNotFound, "")
	s.insula(t, "tenant", "delete-backup", n.slug, "--backup", backup)
	if listed := string(s.insula(t, "tenant", "backups", n.slug)); strings.Contains(listed, backup) {
		t.Errorf("after its end the backup is listed: %s", listed)
	}
	l.toldByCommand(t, n)
}

// fetches takes an archive out, and never over a file that is there.
func (s *stack) fetches(t *testing.T, n tenant, b shownBackup) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "kept.tar")
	s.insula(t, "tenant", "fetch-backup", n.slug, "--backup", b.ID, "--out", out)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != b.SHA256 || int64(len(text)) != b.Size || !bytes.Contains(text, []byte("content")) {
		t.Errorf("the archive has %d bytes and the sum %x, said were %+v", len(text), sum, b)
	}
	if said := s.complains(t, "tenant", "fetch-backup", n.slug, "--backup", b.ID, "--out", out); !strings.Contains(said, "is there already") {
		t.Errorf("onto a file it says %s", said)
	}
}

// toldByCommand looks for what the commands did in the trails of both sides.
func (l landlord) toldByCommand(t *testing.T, n tenant) {
	t.Helper()
	for operation, want := range map[string]int{
		"tenants.backups.create": 1, "tenants.backups.fetch": 1, "tenants.restore": 2, "tenants.clone": 1,
	} {
		for _, c := range []client{l.operator, n.owner} {
			found := 0
			for _, e := range c.trail(t, "outcome=done&operation="+operation) {
				if e.Actor.Kind == "operator" && strings.HasSuffix(e.Actor.Label, " at the command line") && e.Target != nil && e.Target.ID == n.id {
					found++
				}
			}
			if found != want {
				t.Errorf("%s is in the trail of %s %d times, want %d", operation, c.tenant, found, want)
			}
		}
	}
}

// TestBackupCommandsSayWhatToDo: a refusal names the way on.
func TestBackupCommandsSayWhatToDo(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t)
	l := s.found(t, v)
	n := l.newTenant(t, "careful")
	nobody := "00000000-0000-7000-8000-000000000000"
	for _, tc := range []struct{ args, says string }{
		{"tenant backup nobody-at-all", "insula tenant list"},
		{"tenant restore " + n.slug + " --backup " + nobody + " --in-place", "insula tenant backups"},
		{"tenant restore " + n.slug + " --backup " + nobody, "--in-place"},
		{"tenant restore " + n.slug + " --backup x --in-place", "insula tenant backups"},
		{"tenant clone " + n.slug + " --as " + n.slug, "another slug"},
		{"tenant clone " + n.slug, "as"},
		{"tenant delete-backup " + n.slug + " --backup " + nobody, "insula tenant backups"},
		{"tenant follow " + nobody, "tenants.operation_not_found"},
	} {
		if said := s.complains(t, strings.Fields(tc.args)...); !strings.Contains(said, tc.says) {
			t.Errorf("insula %s says %s", tc.args, said)
		}
	}
}
