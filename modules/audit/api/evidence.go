package api

import (
	"context"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// AuditProof shows that an event is part of the trail that a signed head
// fixes. `insula audit check-proof` checks it without a server.
type AuditProof struct {
	Number int64    `json:"number" doc:"Number of the record in the tree, from 0."`
	Hashes []string `json:"hashes" doc:"Hashes beside the way from the record to the root, from the bottom up, in base64 (RFC 9162, section 2.1.3)."`
	Head   string   `json:"head" doc:"The signed head: a note whose lines are the trail, the size of the tree, its root and the time."`
	Record string   `json:"record" doc:"The bytes that were sealed: the hash of the record is SHA-256 of a zero byte and these."`
}

func showProof(p domain.Proof) *AuditProof {
	shown := &AuditProof{Number: p.Number, Head: p.Head, Record: p.Record, Hashes: make([]string, len(p.Hashes))}
	for i, h := range p.Hashes {
		shown.Hashes[i] = h.String()
	}
	return shown
}

// prove answers with the event as it is sealed; it has no other version.
func (a *API) prove(ctx context.Context, key uuid.UUID) (*httpx.Resource[AuditEvent], error) {
	proven, err := a.evidence(scope.From(ctx)).Prove(ctx, key)
	if err != nil {
		return nil, err
	}
	event := showEvent(proven.Event)
	event.Proof = showProof(proven.Proof)
	return httpx.Show(event, onlyVersion, httpx.IfNoneMatch{}), nil // the proof grows with the trail
}

// AuditKey checks the heads of a tenant.
type AuditKey struct {
	Key string `json:"key" doc:"Verifier key in the form of signed notes: name+hash+base64 of an Ed25519 key."`
}

func (a *API) key(ctx context.Context, _ *struct{}) (*httpx.Answer[AuditKey], error) {
	key, err := a.evidence(scope.From(ctx)).Key(ctx)
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[AuditKey]{Body: AuditKey{Key: key}}, nil
}

type verifyInput struct {
	Size int64  `query:"size" minimum:"0" doc:"Size of a tree whose root you have kept."`
	Root string `query:"root" maxLength:"44" doc:"That root, in base64. The trail is held against it too."`
}

// kept is the root that the caller has kept, as a checkpoint.
func (in *verifyInput) kept() ([]domain.Checkpoint, error) {
	if in.Root == "" && in.Size == 0 {
		return nil, nil
	}
	root, err := tlog.ParseHash(in.Root)
	if err != nil || in.Size < 1 {
		return nil, domain.ErrRoot
	}
	return []domain.Checkpoint{{Head: domain.Head{Size: in.Size, Root: root}, Source: "the request"}}, nil
}

// AuditReport is what a check of the whole trail found.
type AuditReport struct {
	Fits     bool          `json:"fits" doc:"Whether every record is as it was sealed."`
	Finding  *AuditFinding `json:"finding,omitempty" doc:"The first thing that does not fit."`
	Size     int64         `json:"size" doc:"Sealed records that were checked."`
	Removed  int64         `json:"removed" doc:"Of them, the oldest, which retention has removed; their hashes are kept."`
	Unsealed int64         `json:"unsealed" doc:"Records that are not sealed yet and prove nothing so far."`
	Heads    int           `json:"heads" doc:"Signed heads that the records fit."`
	Head     string        `json:"head" doc:"The newest head in the database. Keep it: whoever rewrites the trail cannot rewrite what you have."`
	Key      string        `json:"key" doc:"The key that checks it."`
}

// AuditFinding is the first thing that does not fit in a trail.
type AuditFinding struct {
	Kind    string     `json:"kind" enum:"changed,missing,cut,added,broken,forged" doc:"What is wrong with it."`
	Number  int64      `json:"number" doc:"Number of the first record that does not fit."`
	EventID *uuid.UUID `json:"event_id,omitempty" format:"uuid" doc:"That record, where it is known."`
	Detail  string     `json:"detail" doc:"What does not fit, in a sentence."`
}

func (a *API) verify(ctx context.Context, in *verifyInput) (*httpx.Answer[AuditReport], error) {
	kept, err := in.kept()
	if err != nil {
		return nil, err
	}
	r, err := a.evidence(scope.From(ctx)).Verify(ctx, kept)
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[AuditReport]{Body: ShowReport(r)}, nil
}

// ShowReport is a report as clients and commands show it.
func ShowReport(r domain.Report) AuditReport {
	shown := AuditReport{
		Fits: r.Finding == nil, Size: r.Size, Removed: r.Removed, Unsealed: r.Unsealed,
		Heads: r.Heads, Head: r.Head, Key: r.PublicKey,
	}
	if f := r.Finding; f != nil {
		shown.Finding = &AuditFinding{Kind: f.Kind, Number: f.Number, EventID: f.Event, Detail: f.Detail}
	}
	return shown
}
