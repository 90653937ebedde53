package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// auditReport is what a check of a trail prints and answers.
type auditReport struct {
	Fits    bool   `json:"fits"`
	Size    int64  `json:"size"`
	Key     string `json:"key"`
	Finding *struct {
		Kind   string `json:"kind"`
		Number int64  `json:"number"`
	} `json:"finding"`
}

// says is the finding of a report in a word.
func (r auditReport) says() string {
	if r.Finding == nil {
		return fmt.Sprintf("fits: %v", r.Fits)
	}
	return fmt.Sprintf("%s %d", r.Finding.Kind, r.Finding.Number)
}

// auditor checks the trail of one tenant with the binary, and keeps what an
// auditor keeps: the key, and heads from the server's log.
type auditor struct {
	s          *stack
	n          tenant
	key, heads string // the heads are a file
	sealed     int64  // records that the newest of them fixes
}

// sealed waits until all records so far are sealed, and says how many there are
// at least.
func (n tenant) sealed(t *testing.T) (size int64) {
	t.Helper()
	recorded := int64(len(all[event](t, n.owner, "/v1/audit/events?limit=200")))
	eventually(t, time.Minute, func() error {
		report := read[auditReport](t, n.owner.do(t, "GET", "/v1/audit/verify", "").want(t, http.StatusOK))
		if size = report.Size; size < recorded || !report.Fits {
			return fmt.Errorf("%d of %d records are sealed, %s", size, recorded, report.says())
		}
		return nil
	})
	return size
}

// audits takes over a trail as it is: from here on the auditor would find any
// change.
func (s *stack) audits(t *testing.T, n tenant, v *server) auditor {
	t.Helper()
	a := auditor{s: s, n: n, sealed: n.sealed(t), heads: filepath.Join(t.TempDir(), "heads.ndjson")}
	a.key = strings.TrimSpace(string(s.insula(t, "audit", "key", "--tenant", n.slug)))
	log, err := os.ReadFile(v.log)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "audit tree head") && strings.Contains(line, n.id) {
			kept = append(kept, line)
		}
	}
	if err := os.WriteFile(a.heads, []byte(strings.Join(kept, "")), 0o600); err != nil || len(kept) < 2 {
		t.Fatalf("%d heads in the log, %v", len(kept), err)
	}
	return a
}

// online checks the trail in the database, offline an export of it taken now.
// Both exit with 1 when something does not fit.
func (a auditor) online(t *testing.T) auditReport {
	t.Helper()
	return a.verify(t, "--tenant", a.n.slug, "--heads", a.heads)
}

func (a auditor) offline(t *testing.T) auditReport {
	t.Helper()
	file := filepath.Join(t.TempDir(), "export.ndjson")
	if err := os.WriteFile(file, a.s.insula(t, "audit", "export", "--tenant", a.n.slug), 0o600); err != nil {
		t.Fatal(err)
	}
	return a.verify(t, "--export", file, "--heads", a.heads, "--key", a.key)
}

func (a auditor) verify(t *testing.T, args ...string) (report auditReport) {
	t.Helper()
	out, err := a.s.tryInsula(t, append([]string{"audit", "verify", "--json"}, args...)...)
	if uerr := json.Unmarshal(out, &report); uerr != nil {
		t.Fatalf("insula audit verify prints %s: %v, %v", out, err, uerr)
	}
	if report.Fits != (err == nil) {
		t.Errorf("%s, and the command ends with %v", report.says(), err)
	}
	return report
}

// attacks are what somebody with all rights in the database does to record 5;
// named is what a check that knows the hashes of the records says.
var attacks = []struct {
	name, named string
	do          func(t *testing.T, conn *pgx.Conn, a auditor)
}{
	{"flip a byte", "changed 5", func(t *testing.T, conn *pgx.Conn, _ auditor) {
		mustExec(t, conn, "UPDATE audit_events SET client = client || 'x' WHERE id = (SELECT event_id FROM audit_leaves WHERE number = 5)")
	}},
	{"delete a row", "missing 5", func(t *testing.T, conn *pgx.Conn, _ auditor) {
		mustExec(t, conn, "DELETE FROM audit_events WHERE id = (SELECT event_id FROM audit_leaves WHERE number = 5)")
	}},
	{"swap two rows", "changed 5", func(t *testing.T, conn *pgx.Conn, _ auditor) {
		mustExec(t, conn, "CREATE TEMPORARY TABLE swapped AS SELECT 11 - number AS number, event_id FROM audit_leaves WHERE number IN (5, 6)")
		mustExec(t, conn, "DELETE FROM audit_leaves WHERE number IN (5, 6)")
		mustExec(t, conn, "INSERT INTO audit_leaves SELECT number, event_id FROM swapped")
	}},
	{"cut the newest", "", func(t *testing.T, conn *pgx.Conn, _ auditor) {
		mustExec(t, conn, "DELETE FROM audit_events WHERE xid >= (SELECT max(last_xid) FROM audit_seals)")
		mustExec(t, conn, "DELETE FROM audit_leaves l WHERE NOT EXISTS (SELECT FROM audit_events e WHERE e.id = l.event_id)")
		mustExec(t, conn, "DELETE FROM audit_seals WHERE size > (SELECT max(number) + 1 FROM audit_leaves)")
	}},
	{"rewrite and reseal everything", "changed 5", func(t *testing.T, conn *pgx.Conn, a auditor) {
		mustExec(t, conn, "UPDATE audit_events SET client = client || 'x' WHERE id = (SELECT event_id FROM audit_leaves WHERE number = 5)")
		mustExec(t, conn, "DELETE FROM audit_seals")
		mustExec(t, conn, "DELETE FROM audit_leaves")
		eventually(t, time.Minute, func() error { // the server seals it anew, with the true key
			a.n.owner.do(t, "PATCH", "/v1/me", object("name", "Ada Again"), "If-Match: *").want(t, http.StatusOK)
			if sizes := query[int64](t, conn, "SELECT coalesce(max(size), 0) FROM audit_seals"); sizes[0] < a.sealed {
				return fmt.Errorf("%d records are sealed", sizes[0])
			}
			return nil
		})
	}},
}

// TestAnAuditorFindsEveryAttack on the running stack: online over HTTP and with
// the binary, and offline with an export, the key and heads from the log alone.
func TestAnAuditorFindsEveryAttack(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t, "INSULA_AUDIT_SEAL_EVERY=1s")
	l := s.found(t, v)
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) {
			n := l.newTenant(t, "audited")
			for i := range 10 {
				n.invite(t, fmt.Sprintf("u%d@example.com", i))
			}
			n.sealed(t)
			n.mainJob(t)
			a := s.audits(t, n, v)
			if on, off := a.online(t), a.offline(t); !on.Fits || !off.Fits || on.Size < a.sealed || off.Size < a.sealed || on.Key != a.key {
				t.Fatalf("before the attack: %+v %s, %+v %s", on, on.says(), off, off.says())
			}
			conn := s.inspector(t)
			mustExec(t, conn, "SET search_path TO "+pgx.Identifier{schemaOf(t, conn, n.id)}.Sanitize())
			attack.do(t, conn, a)
			web := read[auditReport](t, n.owner.do(t, "GET", "/v1/audit/verify", "").want(t, http.StatusOK))
			on, off := a.online(t), a.offline(t)
			if attack.named != "" && (web.says() != attack.named || on.says() != attack.named) {
				t.Errorf("over HTTP: %s, by command: %s, want %s", web.says(), on.says(), attack.named)
			}
			for _, r := range []auditReport{web, on, off} {
				if r.Finding == nil || r.Finding.Number > a.sealed || attack.named != "" && r.Finding.Number > 5 {
					t.Errorf("found: %s", r.says())
				}
			}
		})
	}
}

// TestAProofIsCheckedWithoutTheServer, and a spoilt one does not hold.
func TestAProofIsCheckedWithoutTheServer(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t, "INSULA_AUDIT_SEAL_EVERY=1s")
	n := s.found(t, v).newTenant(t, "proven")
	made := n.invite(t, "proof@example.com")
	n.sealed(t)
	key := strings.TrimSpace(string(s.insula(t, "audit", "key", "--tenant", n.slug)))
	if shown := (client{api: v.api, tenant: n.slug}).do(t, "GET", "/v1/audit/key", "").want(t, http.StatusOK).text(t, "key"); shown != key {
		t.Errorf("the server shows the key %s, the command %s", shown, key)
	}
	found := n.owner.trail(t, "operation=users.create&target_id="+made.ID)
	if len(found) != 1 {
		t.Fatalf("%d records of the user", len(found))
	}
	proof := n.owner.do(t, "GET", "/v1/audit/events/"+found[0].ID+"?proof=1", "").want(t, http.StatusOK).body
	file := filepath.Join(t.TempDir(), "event.json")
	check := func(content string) ([]byte, error) {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return s.tryInsula(t, "audit", "check-proof", file, "--key", key)
	}
	if out, err := check(string(proof)); err != nil || !strings.Contains(string(out), made.ID) {
		t.Errorf("the proof: %s, %v", out, err)
	}
	spoilt := strings.ReplaceAll(string(proof), "proof@example.com", "prooF@example.com")
	if out, err := check(spoilt); spoilt == string(proof) || err == nil {
		t.Errorf("a spoilt proof holds: %s", out)
	}
}
