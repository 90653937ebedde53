package infra_test

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// What random events and specs are made of: few values, so that they meet.
var (
	ids        = id.NewSequence(7)
	people     = []uuid.UUID{uuid.Nil, ids.New(), ids.New()}
	operations = []string{"users.create", "users.roles.set", "usersx.create", "files.create", "users.create_many"}
	kinds      = []string{"", "", "user", "file"}
	targets    = []string{"", "", "1", "2"}
	outcomes   = []string{"done", "denied", "failed"}
	requests   = []string{"", "", "r-1", "r-2"}
	addresses  = []netip.Addr{{}, {}, netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}
)

func instant() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.IntRange(0, 20), func(n int) time.Time { return noon.Add(time.Duration(n) * time.Microsecond) })
}

func anEntry() *rapid.Generator[op.Entry] {
	return rapid.Custom(func(t *rapid.T) op.Entry {
		e := op.Entry{
			ID: uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")), At: instant().Draw(t, "at"),
			Operation: rapid.SampledFrom(operations).Draw(t, "operation"),
			Outcome:   op.Outcome(rapid.SampledFrom(outcomes).Draw(t, "outcome")),
			Caller:    authn.Caller{Kind: authn.User, ID: rapid.SampledFrom(people).Draw(t, "actor")},
		}
		e.Target.Kind = rapid.SampledFrom(kinds).Draw(t, "target kind")
		e.Target.ID = rapid.SampledFrom(targets).Draw(t, "target id")
		e.Caller.Origin.RequestID = rapid.SampledFrom(requests).Draw(t, "request")
		e.Caller.Origin.Addr = rapid.SampledFrom(addresses).Draw(t, "address")
		return e
	})
}

func aSpec() *rapid.Generator[domain.Spec] {
	return rapid.Custom(func(t *rapid.T) domain.Spec {
		s := domain.Spec{
			Operation:  rapid.SampledFrom(append([]string{"", "", "users.", "users.roles.", "users", "u."}, operations...)).Draw(t, "operation"),
			TargetKind: rapid.SampledFrom(kinds).Draw(t, "target kind"),
			TargetID:   rapid.SampledFrom(targets).Draw(t, "target id"),
			Outcome:    rapid.SampledFrom(append([]string{"", ""}, outcomes...)).Draw(t, "outcome"),
			RequestID:  rapid.SampledFrom(requests).Draw(t, "request"),
		}
		if from := rapid.SampledFrom(addresses).Draw(t, "address"); from.IsValid() {
			s.Address = from.String()
		}
		if rapid.Bool().Draw(t, "by actor") {
			s.Actor = &people[rapid.IntRange(1, 2).Draw(t, "actor")]
		}
		if rapid.Bool().Draw(t, "since") {
			s.From = instant().Draw(t, "from")
		}
		if rapid.Bool().Draw(t, "until") {
			s.To = instant().Draw(t, "to")
		}
		return s
	})
}

// finds is what a spec means, read off its fields.
func finds(s domain.Spec, e op.Entry) bool {
	switch {
	case s.Actor != nil && *s.Actor != e.Caller.ID,
		s.Operation != "" && !strings.HasSuffix(s.Operation, ".") && s.Operation != e.Operation,
		strings.HasSuffix(s.Operation, ".") && !strings.HasPrefix(e.Operation, s.Operation),
		s.TargetKind != "" && s.TargetKind != e.Target.Kind,
		s.TargetID != "" && s.TargetID != e.Target.ID,
		s.Outcome != "" && s.Outcome != string(e.Outcome),
		s.RequestID != "" && s.RequestID != e.Caller.Origin.RequestID,
		s.Address != "" && s.Address != e.Caller.Origin.Addr.String(),
		!s.From.IsZero() && e.At.Before(s.From),
		!s.To.IsZero() && !e.At.Before(s.To):
		return false
	}
	return true
}

func newestFirst(a, b op.Entry) int {
	if c := b.At.Compare(a.At); c != 0 {
		return c
	}
	return bytes.Compare(b.ID[:], a.ID[:])
}

func TestSearchAgreesWithTheOracle(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	var all []op.Entry // what the trail holds; it grows with every check
	rapid.Check(t, func(rt *rapid.T) {
		fresh := rapid.SliceOfN(anEntry(), 0, 12).Draw(rt, "fresh")
		fresh = slices.DeleteFunc(fresh, func(e op.Entry) bool {
			return slices.ContainsFunc(all, func(known op.Entry) bool { return known.ID == e.ID })
		})
		slices.SortFunc(fresh, func(a, b op.Entry) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		fresh = slices.CompactFunc(fresh, func(a, b op.Entry) bool { return a.ID == b.ID })
		f.Write(t, func(tx uow.Tx) error {
			for _, e := range fresh {
				if err := recorder.Record(t.Context(), tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		all = append(all, fresh...)
		slices.SortFunc(all, newestFirst)

		spec := aSpec().Draw(rt, "spec")
		var want []uuid.UUID
		for _, e := range all {
			if finds(spec, e) {
				want = append(want, e.ID)
			}
		}
		got := everyPage(t, rt, f, spec, rapid.IntRange(1, 9).Draw(rt, "limit"), len(all))
		if !slices.Equal(got, want) {
			rt.Fatalf("found %d events %v, want %d %v", len(got), got, len(want), want)
		}
	})
}

// everyPage pages to the end and lists the ids it met, most at most.
func everyPage(t *testing.T, rt *rapid.T, f pgtest.Fixture, s domain.Spec, limit, most int) (met []uuid.UUID) {
	p := page.Request{Limit: limit}
	for {
		var found page.Page[domain.Event]
		f.Read(t, func(tx uow.Tx) (err error) {
			found, err = repository.List(t.Context(), tx, s, p)
			return err
		})
		if len(found.Items) > limit || found.Next != nil && len(found.Items) < limit {
			rt.Fatalf("a page of %d has %d events, next %v", limit, len(found.Items), found.Next)
		}
		for _, e := range found.Items {
			met = append(met, e.ID)
		}
		if found.Next == nil {
			return met
		}
		if len(met) > most {
			rt.Fatalf("pages go round: met %d events of %d", len(met), most)
		}
		p.After = found.Next
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	f, other := pgtest.Tenant(t), pgtest.Tenant(t)
	entry := op.Entry{ID: ids.New(), At: noon, Operation: "things.create", Outcome: op.Done}
	f.Write(t, func(tx uow.Tx) error { return recorder.Record(t.Context(), tx, entry) })
	f.Read(t, func(tx uow.Tx) error {
		e, err := repository.Get(t.Context(), tx, entry.ID)
		if err == nil && (e.ID != entry.ID || e.Before != nil || e.After != nil || e.Actor.ID != nil || e.SessionID != nil) {
			t.Errorf("got %+v", e)
		}
		return err
	})
	err := other.Unit().Read(t.Context(), func(tx uow.Tx) error {
		_, err := repository.Get(t.Context(), tx, entry.ID)
		return err
	})
	if !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("another tenant got %v, want %v", err, domain.ErrNotFound)
	}
}
