package op_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

var (
	see    = op.Read("things.get", "See a thing.", op.About("thing"))
	change = op.Write("things.change", "Change a thing.", op.About("thing"))
	watch  = op.Read("things.watch", "Watch things.", op.Recorded)
	export = op.Read("things.export", "Export things.", op.Recorded, op.Long)
)

// unit counts what was opened; a write that fails keeps nothing.
type unit struct{ reads, looks, writes, records int }

type tx struct{ trail uow.Trail }

func (t *tx) AfterCommit(func(context.Context)) {}
func (t *tx) Trail() *uow.Trail                 { return &t.trail }

func (u *unit) Read(_ context.Context, fn func(uow.Tx) error) error {
	u.reads++
	return fn(&tx{})
}

func (u *unit) Look(_ context.Context, fn func(uow.Tx) error) error {
	u.looks++
	return fn(&tx{})
}

func (u *unit) Write(_ context.Context, fn func(uow.Tx) error) error {
	u.writes++
	return fn(&tx{})
}

func (u *unit) Record(_ context.Context, fn func(uow.Tx) error) error {
	u.records++
	return fn(&tx{})
}

type decide bool

func (d decide) Decide(scope.Request, op.Def) op.Decision {
	return op.Decision{Allow: bool(d), Rule: "test"}
}

func runner(allow bool, caller authn.Caller) (*op.Runner, *unit, *optest.Records) {
	u, records := &unit{}, &optest.Records{}
	return op.NewRunner(scope.Request{Caller: caller}, u, decide(allow), records,
		clock.At(time.Unix(0, 0)), id.NewSequence(1), slog.New(slog.DiscardHandler)), u, records
}

var (
	somebody = authn.Caller{Kind: authn.User, ID: uuid.Max, Label: "ada@example.com"}
	boom     = errors.New("boom")
)

func TestDo(t *testing.T) {
	ok := func(tx uow.Tx) (string, error) {
		tx.Trail().On("thing", "7", "seven")
		tx.Trail().Changed("old", "new")
		return "done", nil
	}
	fails := func(tx uow.Tx) (string, error) {
		tx.Trail().On("thing", "7", "seven")
		tx.Trail().Changed("old", "new")
		return "half done", boom
	}
	missing := func(uow.Tx) (string, error) { return "", errs.ErrNotFound }
	for _, tc := range []struct {
		name    string
		def     op.Def
		allow   bool
		caller  authn.Caller
		body    func(uow.Tx) (string, error)
		want    string
		err     error
		unit    unit
		outcome op.Outcome
		code    string
	}{
		{"write", change, true, somebody, ok, "done", nil, unit{writes: 1}, op.Done, ""},
		{"failed write", change, true, somebody, fails, "", boom, unit{writes: 1, records: 1}, op.Failed, "internal"},
		{"denied write", change.On("7"), false, somebody, ok, "", errs.ErrForbidden, unit{records: 1}, op.Denied, "forbidden"},
		{"read", see, true, somebody, ok, "done", nil, unit{reads: 1}, "", ""},
		{"read of what is not here", see.On("7"), true, somebody, missing, "", errs.ErrNotFound, unit{reads: 1, records: 1}, op.Failed, "not_found"},
		{"failed read", see.On("7"), true, somebody, fails, "", boom, unit{reads: 1}, "", ""},
		{"denied read", see.On("7"), false, somebody, ok, "", errs.ErrForbidden, unit{records: 1}, op.Denied, "forbidden"},
		{"recorded read", watch, true, somebody, ok, "done", nil, unit{writes: 1}, op.Done, ""},
		{"long read", export.On("7"), true, somebody, ok, "done", nil, unit{reads: 1, writes: 1}, op.Done, ""},
		{"stranger", change, false, authn.Caller{}, ok, "", errs.ErrUnauthenticated, unit{}, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run, u, records := runner(tc.allow, tc.caller)
			got, err := op.Do(t.Context(), run, tc.def, tc.body)
			if got != tc.want || !errors.Is(err, tc.err) {
				t.Fatalf("got %q, %v; want %q, %v", got, err, tc.want, tc.err)
			}
			if *u != tc.unit {
				t.Errorf("units %+v, want %+v", *u, tc.unit)
			}
			entries := records.Entries()
			if tc.outcome == "" {
				if len(entries) != 0 {
					t.Fatalf("recorded %+v, want nothing", entries)
				}
				return
			}
			if len(entries) != 1 {
				t.Fatalf("%d records, want 1", len(entries))
			}
			e := entries[0]
			if e.Outcome != tc.outcome || e.Code != tc.code || e.Operation != tc.def.Name || e.Caller.Label != somebody.Label {
				t.Errorf("recorded %+v", e)
			}
			if e.Target.ID != "7" {
				t.Errorf("target %+v, want 7", e.Target)
			}
			if changed := e.Before != nil || e.After != nil; changed != (tc.outcome == op.Done && !tc.def.Long) {
				t.Errorf("a change is kept only when it happened: %v -> %v", e.Before, e.After)
			}
		})
	}
}

func TestALongReadIsRecordedBeforeItBegins(t *testing.T) {
	run, _, records := runner(true, somebody)
	_, err := op.Do(t.Context(), run, export, func(uow.Tx) (int, error) {
		if e := records.Entries(); len(e) != 1 || e[0].Outcome != op.Done {
			t.Errorf("at its begin %+v is recorded", e)
		}
		return 0, boom
	})
	if e := records.Entries(); !errors.Is(err, boom) || len(e) != 2 || e[1].Outcome != op.Failed {
		t.Errorf("%v, recorded %+v", err, e)
	}
}

func TestQuietWorkLeavesNoRecord(t *testing.T) {
	quiet := op.Quiet("seals are evidence")
	for name, c := range map[string]struct {
		job  op.Def
		unit unit // what it runs in
	}{
		"writing":          {op.Job("things.seal", "Seal things.", quiet), unit{writes: 1}},
		"reading":          {op.Job("things.watch", "Watch things.", quiet, op.Reading), unit{reads: 1}},
		"writing, lasting": {op.Job("things.seal", "Seal things.", quiet, op.Lasting), unit{records: 1}},
		"reading, lasting": {op.Job("things.watch", "Watch things.", quiet, op.Lasting, op.Reading), unit{looks: 1}},
	} {
		for _, end := range []error{nil, boom} {
			run, u, records := runner(true, authn.Caller{Kind: authn.Job})
			_, err := op.Do(t.Context(), run, c.job, func(uow.Tx) (int, error) { return 0, end })
			if !errors.Is(err, end) || *u != c.unit || len(records.Entries()) != 0 {
				t.Errorf("%s: %v, %+v, recorded %+v", name, err, *u, records.Entries())
			}
		}
	}
}

func TestAPanicIsRecordedAndGoesOn(t *testing.T) {
	run, _, records := runner(true, somebody)
	defer func() {
		if recover() != "boom" {
			t.Error("the panic was swallowed")
		}
		if e := records.Entries(); len(e) != 1 || e[0].Outcome != op.Failed {
			t.Errorf("recorded %+v", e)
		}
	}()
	_, _ = op.Do(t.Context(), run, change, func(uow.Tx) (int, error) { panic("boom") })
}

func TestDeclarationsAreChecked(t *testing.T) {
	for name, declare := range map[string]func(){
		"upper case":            func() { op.Read("Things.get", "See.") },
		"no module":             func() { op.Read("get", "See.") },
		"summary no sentence":   func() { op.Read("things.get", "See") },
		"public without reason": func() { op.Read("things.get", "See.", op.Public("")) },
		"quiet, no job":         func() { op.Read("things.get", "See.", op.Quiet("why")) },
		"lasting, no evidence":  func() { op.Job("things.clear", "Clear.", op.Lasting) },
		"twice":                 func() { op.NewRegistry([]op.Def{see}, []op.Def{see}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("was accepted")
				}
			}()
			declare()
		})
	}
}

func TestReference(t *testing.T) {
	var b strings.Builder
	r := op.NewRegistry([]op.Def{watch, see, op.Job("things.sweep", "Sweep things.")})
	if err := r.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"## things",
		"| `things.get` | See a thing. | holders of the permission | refusals |",
		"| `things.sweep` | Sweep things. | background work | always |",
		"| `things.watch` | Watch things. | holders of the permission | always, though it only reads |",
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("missing %q in\n%s", line, b.String())
		}
	}
	if len(r.Grantable()) != 2 {
		t.Errorf("%d grantable operations, want 2: no role holds a job", len(r.Grantable()))
	}
}
