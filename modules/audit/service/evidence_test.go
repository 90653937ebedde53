package service_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// trail is the trail of a tenant of a test's own, with all that makes and
// checks its evidence.
type trail struct {
	pgtest.Fixture
	clock     *clock.Manual
	recorder  *infra.Recorder
	tree      *infra.Tree
	blobs     *s3test.Memory
	published *infra.Published
	keys      domain.HeadKeys
	sealing   *service.Sealing
	policy    audit.Policy // of the tenant at the moment
	n         int          // records so far
}

func newTrail(t testing.TB, p audit.Policy) *trail {
	t.Helper()
	return trailOf(t, pgtest.Tenant(t), p)
}

func trailOf(t testing.TB, f pgtest.Fixture, p audit.Policy) *trail {
	t.Helper()
	root, err := secret.NewKey(strings.NewReader(strings.Repeat("k", secret.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	r := &trail{Fixture: f, clock: clock.At(noon), recorder: infra.NewRecorder(infra.NewBell(), nil), tree: infra.NewTree(), policy: p}
	r.keys = domain.NewHeadKeys(root)
	r.blobs = s3test.NewMemory(t, r.clock)
	r.published = infra.NewPublished(r.blobs)
	log := slog.New(slog.DiscardHandler)
	jobs := op.NewJobs(r.Pool, optest.Allow{}, r.recorder, r.clock, id.System{}, log)
	r.sealing = service.NewSealing(jobs, r.tree, r.published, r.keys, (*current)(&r.policy), r.clock, log, func(int64, time.Duration) {})
	return r
}

// evidence is the service as one request has it. Its own records are kept in
// memory, so that the trail stands still.
func (r *trail) evidence(t *testing.T) *service.Evidence {
	request := scope.Request{Tenant: r.Tenant, Caller: authn.Caller{Kind: authn.User, Label: "eve@example.com"}}
	run, _ := optest.Runner(t, request, r.Unit(), r.clock)
	return service.NewEvidence(run, request, infra.NewRepository(), r.tree, r.published, r.keys)
}

// entry is the next record.
func (r *trail) entry() op.Entry {
	r.n++
	r.clock.Advance(time.Second)
	return op.Entry{
		ID: uuid.Must(uuid.NewV7()), At: r.clock.Now(), Tenant: r.Tenant.ID, Operation: "users.update", Outcome: op.Done,
		Caller: authn.Caller{Kind: authn.User, Label: "ada@example.com"},
		Target: uow.Target{Kind: "user", ID: fmt.Sprint(r.n)},
		Before: map[string]any{"name": fmt.Sprintf("Name \"%d\"", r.n), "size": 1.50}, After: map[string]any{"name": "Grace é\u2028<b>", "size": 2},
	}
}

// record writes n records, each in a transaction of its own.
func (r *trail) record(t *testing.T, n int) {
	t.Helper()
	for range n {
		e := r.entry()
		r.Write(t, func(tx uow.Tx) error { return r.recorder.Record(t.Context(), tx, e) })
	}
}

// seal seals the records up to this many, and publishes the heads.
func (r *trail) seal(t *testing.T, want int64) {
	t.Helper()
	r.sealOnly(t, want)
	if _, err := r.sealing.Publish(t.Context(), r.Tenant); err != nil {
		t.Fatal(err)
	}
}

// settle waits until this many records are settled, which transactions of
// other tests on the same server can hold up.
func (r *trail) settle(t *testing.T, want int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for settled := false; !settled; {
		r.Read(t, func(tx uow.Tx) error {
			last, err := r.tree.Last(ctx, tx)
			if err != nil {
				return err
			}
			found, err := r.tree.Settled(ctx, tx, last.Last, int(min(want, 1000)))
			settled = last.Size+int64(len(found)) >= min(want, 1000) || last.Size > 0 && last.Last == (domain.Mark{})
			return err
		})
		if ctx.Err() != nil {
			t.Fatal("the records do not settle")
		}
	}
}

// sealOnly seals the records up to this many.
func (r *trail) sealOnly(t *testing.T, want int64) {
	t.Helper()
	r.settle(t, want)
	for r.size(t) < want {
		if _, err := r.sealing.Seal(t.Context(), r.Tenant, service.Now); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *trail) size(t *testing.T) (size int64) {
	t.Helper()
	r.Read(t, func(tx uow.Tx) error {
		last, err := r.tree.Last(t.Context(), tx)
		size = last.Size
		return err
	})
	return size
}

func (r *trail) verify(t *testing.T, kept ...domain.Checkpoint) domain.Report {
	t.Helper()
	report, err := r.evidence(t).Verify(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// attack runs a statement with all rights, which must hit something.
func (r *trail) attack(t *testing.T, sql string, args ...any) {
	t.Helper()
	if r.BehindTheWall(t, sql, args...) == 0 {
		t.Fatalf("%s changed nothing", sql)
	}
}

func (r *trail) idOf(t *testing.T, number int64) (id uuid.UUID) {
	t.Helper()
	r.Read(t, func(tx uow.Tx) error {
		ids, err := r.tree.Leaves(t.Context(), tx, number, number+1)
		id = ids[number]
		return err
	})
	return id
}

func TestAnUntouchedTrailFits(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Batch: 10})
	if report := r.verify(t); report.Finding != nil || report.Size != 0 {
		t.Errorf("an empty trail: %+v", report)
	}
	r.record(t, 25)
	if report := r.verify(t); report.Finding != nil || report.Size != 0 || report.Unsealed != 25 {
		t.Errorf("nothing is sealed: %+v", report)
	}
	r.seal(t, 25)
	r.record(t, 3)
	report := r.verify(t)
	if report.Finding != nil || report.Size != 25 || report.Unsealed != 3 || report.Heads != 4 {
		t.Errorf("%+v", report)
	}
	head, err := domain.OpenHead(report.Head, report.PublicKey)
	if err != nil || head.Size != 25 || head.Tenant != r.Tenant.ID {
		t.Errorf("head %+v, %v", head, err)
	}
}

// number selects the record of a number.
const number = "(SELECT event_id FROM audit_leaves WHERE number = $1)"

// attacks are what somebody with all rights in the database can do to 25
// records sealed in tens, and what must be found.
var attacks = map[string]struct {
	do     func(t *testing.T, r *trail)
	kind   string
	number int64
	named  bool // the report names the record's id
}{
	"flip a byte of a text": {func(t *testing.T, r *trail) {
		r.attack(t, "UPDATE audit_events SET actor_label = 'bda@example.com' WHERE id = "+number, 13)
	}, domain.Changed, 13, true},
	"flip a byte of a change": {func(t *testing.T, r *trail) {
		r.attack(t, `UPDATE audit_events SET before = jsonb_set(before, '{size}', '1.6') WHERE id = `+number, 0)
	}, domain.Changed, 0, true},
	"turn a time back": {func(t *testing.T, r *trail) {
		r.attack(t, "UPDATE audit_events SET at = at - interval '1 microsecond' WHERE id = "+number, 24)
	}, domain.Changed, 24, true},
	"delete a row": {func(t *testing.T, r *trail) {
		r.attack(t, "DELETE FROM audit_events WHERE id = "+number, 13)
	}, domain.Missing, 13, true},
	"delete a row and its number": {func(t *testing.T, r *trail) {
		r.attack(t, "WITH l AS (DELETE FROM audit_leaves WHERE number = $1 RETURNING event_id) DELETE FROM audit_events e USING l WHERE e.id = l.event_id", 13)
	}, domain.Missing, 13, false},
	"delete the oldest rows and numbers": {func(t *testing.T, r *trail) {
		r.attack(t, "WITH l AS (DELETE FROM audit_leaves WHERE number < $1 RETURNING event_id) DELETE FROM audit_events e USING l WHERE e.id = l.event_id", 4)
	}, domain.Missing, 0, false},
	"change one and delete a later one": {func(t *testing.T, r *trail) {
		r.attack(t, "UPDATE audit_events SET client = 'x' WHERE id = "+number, 12)
		r.attack(t, "DELETE FROM audit_events WHERE id = "+number, 17)
	}, domain.Changed, 12, true},
	"delete one and change a later one": {func(t *testing.T, r *trail) {
		r.attack(t, "DELETE FROM audit_events WHERE id = "+number, 12)
		r.attack(t, "UPDATE audit_events SET client = 'x' WHERE id = "+number, 17)
	}, domain.Missing, 12, true},
	"swap two": {func(t *testing.T, r *trail) {
		a, b := r.idOf(t, 12), r.idOf(t, 22)
		r.attack(t, "DELETE FROM audit_leaves WHERE number IN (12, 22)")
		r.attack(t, "INSERT INTO audit_leaves VALUES (12, $1), (22, $2)", b, a)
	}, domain.Changed, 12, true},
	"cut the newest": {func(t *testing.T, r *trail) { r.cut(t, 20) }, domain.Cut, 20, false},
	"cut the newest of a batch": {func(t *testing.T, r *trail) {
		r.attack(t, "WITH l AS (DELETE FROM audit_leaves WHERE number >= 23 RETURNING event_id) DELETE FROM audit_events e USING l WHERE e.id = l.event_id")
	}, domain.Missing, 23, false},
	"cut everything": {func(t *testing.T, r *trail) {
		r.cut(t, 0)
	}, domain.Cut, 0, false},
	"cut the newest and go on": {func(t *testing.T, r *trail) {
		r.cut(t, 20)
		r.record(t, 10)
		r.sealOnly(t, 30)
		if _, err := r.sealing.Publish(t.Context(), r.Tenant); !errors.Is(err, domain.ErrForked) {
			t.Errorf("published over what shows the cut: %v", err)
		}
	}, domain.Changed, 20, true},
	"cut the newest and seal as many": {func(t *testing.T, r *trail) {
		r.cut(t, 20)
		r.record(t, 5)
		r.sealOnly(t, 25)
		r.record(t, 5)
		r.sealOnly(t, 30)
		if _, err := r.sealing.Publish(t.Context(), r.Tenant); !errors.Is(err, domain.ErrForked) {
			t.Errorf("published over what shows the cut: %v", err)
		}
	}, domain.Changed, 20, true},
	"rewrite and reseal": {func(t *testing.T, r *trail) {
		r.attack(t, "UPDATE audit_events SET client = 'x' WHERE id = "+number, 13)
		r.reseal(t, 25)
	}, domain.Changed, 13, true},
	"delete and reseal": {func(t *testing.T, r *trail) {
		r.attack(t, "DELETE FROM audit_events WHERE id = "+number, 7)
		r.record(t, 5)
		r.reseal(t, 29)
	}, domain.Changed, 7, true},
	"put one in behind the seals": {func(t *testing.T, r *trail) {
		r.record(t, 1)
		r.attack(t, "UPDATE audit_events SET xid = 1 WHERE NOT EXISTS (SELECT FROM audit_leaves l WHERE l.event_id = id)")
	}, domain.Added, 25, true},
	"sign with another key": {func(t *testing.T, r *trail) {
		key, err := domain.NewHeadKey(r.Tenant.ID, []byte(strings.Repeat("x", 32)))
		if err != nil {
			t.Fatal(err)
		}
		head, err := key.Sign(domain.Head{Tenant: r.Tenant.ID, Size: 20, At: noon})
		if err != nil {
			t.Fatal(err)
		}
		r.attack(t, "UPDATE audit_seals SET head = $1 WHERE size = 20", head)
	}, domain.Forged, 10, false},
	"take another head": {func(t *testing.T, r *trail) {
		r.attack(t, "UPDATE audit_seals a SET head = b.head FROM audit_seals b WHERE a.size = 20 AND b.size = 25")
	}, domain.Broken, 10, false},
	"remove a seal": {func(t *testing.T, r *trail) {
		r.attack(t, "DELETE FROM audit_seals WHERE size = 20")
	}, domain.Broken, 10, false},
	"change a stored hash": {func(t *testing.T, r *trail) {
		r.attack(t, "UPDATE audit_seals SET hashes = set_byte(hashes, 5*32, get_byte(hashes, 5*32) # 1) WHERE size = 20")
	}, domain.Broken, 10, false},
}

// cut removes the records from a number on, and all that tells of them.
func (r *trail) cut(t *testing.T, size int64) {
	t.Helper()
	r.attack(t, "DELETE FROM audit_seals WHERE size > $1", size)
	r.attack(t, "WITH l AS (DELETE FROM audit_leaves WHERE number >= $1 RETURNING event_id) DELETE FROM audit_events e USING l WHERE e.id = l.event_id", size)
}

// reseal makes all the evidence in the database anew, with the true key.
func (r *trail) reseal(t *testing.T, size int64) {
	t.Helper()
	r.attack(t, "DELETE FROM audit_seals")
	r.attack(t, "DELETE FROM audit_leaves")
	r.sealOnly(t, size)
}

func TestAttacksAreFoundAndNamed(t *testing.T) {
	t.Parallel()
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newTrail(t, audit.Policy{Batch: 10})
			r.record(t, 25)
			r.seal(t, 25)
			victim := r.idOf(t, attack.number)
			attack.do(t, r)
			f := r.verify(t).Finding
			if f == nil {
				t.Fatal("nothing was found")
			}
			if f.Kind != attack.kind || f.Number != attack.number || (f.Event != nil) != attack.named {
				t.Errorf("found %v, want %s of record %d", f, attack.kind, attack.number)
			}
			if f.Kind == domain.Missing && f.Event != nil && *f.Event != victim {
				t.Errorf("named %s, want %s", f.Event, victim)
			}
		})
	}
}

// Somebody who owns database, object store and key can rewrite everything, but
// not a head that an auditor has kept.
func TestAnOldHeadAtHandFindsARewrite(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Batch: 10})
	r.record(t, 25)
	r.seal(t, 25)
	old := r.verify(t)
	head, err := domain.OpenHead(old.Head, old.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	kept := domain.Checkpoint{Head: head, Source: "the auditor"}
	if report := r.verify(t, kept); report.Finding != nil || report.Heads != old.Heads+1 {
		t.Fatalf("before the attack: %+v", report)
	}
	r.attack(t, "UPDATE audit_events SET client = 'x' WHERE id = "+number, 13)
	r.reseal(t, 25)
	r.published = infra.NewPublished(s3test.NewMemory(t, r.clock))
	if report := r.verify(t); report.Finding != nil {
		t.Fatalf("the rewritten trail does not fit itself: %v", report.Finding)
	}
	f := r.verify(t, kept).Finding
	if f == nil || f.Kind != domain.Changed || f.Number > 13 {
		t.Errorf("found %v", f)
	}
	r.cut(t, 20)
	if f := r.verify(t, kept).Finding; f == nil || f.Kind != domain.Cut || f.Number != 20 {
		t.Errorf("after a cut: %v", f)
	}
}

func TestProofs(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Batch: 7})
	r.record(t, 25)
	r.seal(t, 25)
	for n := range int64(25) {
		proven, err := r.evidence(t).Prove(t.Context(), r.idOf(t, n))
		if err != nil {
			t.Fatal(err)
		}
		key := r.verify(t).PublicKey
		if head, err := proven.Proof.Check(key); err != nil || head.Size != 25 || proven.Proof.Number != n {
			t.Errorf("proof of %d: %+v, %v", n, head, err)
		}
		for name, forge := range map[string]func(*domain.Proof){
			"another record": func(p *domain.Proof) { p.Record = strings.Replace(p.Record, "ada", "bda", 1) },
			"another number": func(p *domain.Proof) { p.Number = (p.Number + 1) % 25 },
			"another hash":   func(p *domain.Proof) { p.Hashes[0][3] ^= 1 },
			"another head":   func(p *domain.Proof) { p.Head = strings.Replace(p.Head, "\n25\n", "\n24\n", 1) },
		} {
			forged := proven.Proof
			forged.Hashes = append(forged.Hashes[:0:0], forged.Hashes...)
			forge(&forged)
			if _, err := forged.Check(key); err == nil {
				t.Errorf("a proof of %d with %s holds", n, name)
			}
		}
	}
	r.record(t, 1)
	var young domain.Event
	r.Read(t, func(tx uow.Tx) error {
		found, err := infra.NewRepository().List(t.Context(), tx, domain.Spec{}, page.Request{Limit: 1})
		young = found.Items[0]
		return err
	})
	if _, err := r.evidence(t).Prove(t.Context(), young.ID); err == nil || err.Error() == "" {
		t.Error("an unsealed record was proven")
	}
}
