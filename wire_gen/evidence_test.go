package wiregen_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	auditapi "github.com/insulahq/insula/modules/audit/api"
	"github.com/insulahq/insula/modules/audit/domain"
	auditservice "github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/s3x"
)

// seal seals all records that a tenant has so far and publishes the heads.
func (n *tenant) seal(t *testing.T) {
	t.Helper()
	served, err := n.h.Directory.ByID(t.Context(), n.id)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		p, err := n.h.Sealing.Seal(t.Context(), served, auditservice.Now)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("sealing: %+v, %v", p, err)
		}
		if !p.Waiting && p.Sealed == 0 {
			break
		}
	}
	if _, err := n.h.Sealing.Publish(t.Context(), served); err != nil {
		t.Fatal(err)
	}
}

// heads are the published heads of a tenant, as an auditor would keep them.
func (n *tenant) heads(t *testing.T, key string) []domain.Checkpoint {
	t.Helper()
	var kept bytes.Buffer
	for size, err := range n.h.blobs.ListEvidence(t.Context(), n.id, s3x.Heads, 0) {
		if err != nil {
			t.Fatal(err)
		}
		object, err := n.h.blobs.Get(t.Context(), s3x.EvidenceKey(n.id, s3x.Heads, size), s3x.Range{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kept.ReadFrom(object); err != nil {
			t.Fatal(err)
		}
	}
	heads, err := domain.ParseHeads(&kept, "kept", key)
	if err != nil || len(heads) == 0 {
		t.Fatalf("%d heads, %v", len(heads), err)
	}
	return heads
}

// TestTheTrailProvesItself goes the way of an auditor: check the trail over
// HTTP, take a proof and an export, and check both without the server; then
// see that a change behind the wall is found and named.
func TestTheTrailProvesItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, other := h.tenant(t), h.tenant(t)
	n.user(t)
	n.seal(t)
	key := decode[auditapi.AuditKey](t, n.stranger().get(t, "/v1/audit/key"), http.StatusOK).Key
	if foreign := decode[auditapi.AuditKey](t, other.stranger().get(t, "/v1/audit/key"), http.StatusOK).Key; foreign == key {
		t.Error("two tenants have one key")
	}
	report := decode[auditapi.AuditReport](t, n.as().get(t, "/v1/audit/verify"), http.StatusOK)
	if !report.Fits || report.Size == 0 || report.Heads < 2 || report.Key != key {
		t.Fatalf("%+v", report)
	}

	victim := n.events(t, "operation=users.create")[0]
	proof := n.proofOf(t, victim)
	if head, err := proof.Check(key); err != nil || head.Tenant != n.id || !strings.Contains(proof.Record, victim.ID.String()) {
		t.Errorf("the proof: %+v, %v", head, err)
	}

	export := n.as().get(t, "/v1/audit/export").Body.Bytes()
	offline, err := domain.CheckExport(bytes.NewReader(export), n.heads(t, key), "audit.expire")
	if err != nil || offline.Finding != nil || offline.Size != report.Size {
		t.Errorf("the export: %+v, %v", offline, err)
	}
	spoilt := bytes.Replace(export, []byte(victim.ID.String()), []byte(other.id.String()), 1)
	if offline, err := domain.CheckExport(bytes.NewReader(spoilt), n.heads(t, key), "audit.expire"); err != nil || offline.Finding == nil || offline.Finding.Number != proof.Number {
		t.Errorf("a spoilt export: %+v, %v", offline, err)
	}

	n.rewrite(t, victim.ID.String())
	report = decode[auditapi.AuditReport](t, n.as().get(t, "/v1/audit/verify"), http.StatusOK)
	if report.Fits || report.Finding == nil || report.Finding.Kind != domain.Changed || report.Finding.Number != proof.Number ||
		report.Finding.EventID == nil || *report.Finding.EventID != victim.ID {
		t.Errorf("a change behind the wall: %+v, %+v", report, report.Finding)
	}
	refused(t, n.as().get(t, "/v1/audit/verify?size=7&root=x"), http.StatusUnprocessableEntity, "audit.root")
}

// proofOf gets the proof that an event is part of the trail, as somebody has it
// who checks it without the server.
func (n *tenant) proofOf(t *testing.T, e auditapi.AuditEvent) domain.Proof {
	t.Helper()
	proven := decode[auditapi.AuditEvent](t, n.as().get(t, "/v1/audit/events/"+e.ID.String()+"?proof=1"), http.StatusOK)
	proof := domain.Proof{Number: proven.Proof.Number, Head: proven.Proof.Head, Record: proven.Proof.Record}
	for _, text := range proven.Proof.Hashes {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			t.Fatal(err)
		}
		proof.Hashes = append(proof.Hashes, hash)
	}
	return proof
}

// rewrite changes a record behind the wall.
func (n *tenant) rewrite(t *testing.T, event string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), n.h.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	table := pgx.Identifier{n.schema, "audit_events"}.Sanitize()
	if _, err := db.Exec(t.Context(), "UPDATE "+table+" SET target_label = 'nobody' WHERE id = $1", event); err != nil {
		t.Fatal(err)
	}
}
