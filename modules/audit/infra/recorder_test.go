package infra_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

var (
	create = op.Write("things.create", "Create.", op.About("thing"))
	show   = op.Read("things.show", "Show.", op.Recorded)
	peek   = op.Read("things.peek", "Peek.")
)

func ada() authn.Caller {
	return authn.Caller{
		Kind: authn.User, ID: uuid.Must(uuid.NewV7()), Label: "ada@example.com", Session: uuid.Must(uuid.NewV7()),
		Origin: authn.Origin{RequestID: "r-1", Addr: netip.MustParseAddr("2001:db8::7"), Client: "curl/8"},
	}
}

type thing struct {
	Name  string       `json:"name"`
	Color string       `json:"color"`
	Key   secret.Value `json:"key"`
}

func TestADoneOperationLeavesOneRecord(t *testing.T) {
	t.Parallel()
	f, caller := pgtest.Tenant(t), ada()
	_, err := op.Do(t.Context(), run(f, caller, true), create, func(tx uow.Tx) (int, error) {
		tx.Trail().On("thing", "7", "Seven")
		tx.Trail().Changed(thing{Name: "Seven", Color: "red"}, thing{Name: "Seven", Color: "blue"})
		return 0, addWork(t.Context(), tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	got := trail(t, f)
	if len(got) != 1 || countWork(t, f) != 1 {
		t.Fatalf("%d events, %d pieces of work", len(got), countWork(t, f))
	}
	want := domain.Event{
		ID: got[0].ID, At: noon, Operation: "things.create", Outcome: "done", Rule: "verdict",
		Actor: domain.Actor{Kind: "user", ID: &caller.ID, Label: "ada@example.com"}, SessionID: &caller.Session,
		Target: domain.Target{Kind: "thing", ID: "7", Label: "Seven"},
		Before: []byte(`{"color": "red"}`), After: []byte(`{"color": "blue"}`),
		RequestID: "r-1", Address: "2001:db8::7", Client: "curl/8",
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got\n%+v, want\n%+v", got[0], want)
	}
}

var errBoom = errors.New("boom")

func TestARecordLivesAndDiesWithItsTransaction(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	entry := op.Entry{ID: uuid.Must(uuid.NewV7()), At: noon, Operation: "things.create", Outcome: op.Done}
	err := f.Unit().Write(t.Context(), func(tx uow.Tx) error {
		if err := recorder.Record(t.Context(), tx, entry); err != nil {
			return err
		}
		return errBoom
	})
	if !errors.Is(err, errBoom) || len(trail(t, f)) != 0 {
		t.Fatalf("%v left %+v", err, trail(t, f))
	}
	f.Write(t, func(tx uow.Tx) error { return recorder.Record(t.Context(), tx, entry) })
	if got := trail(t, f); len(got) != 1 || got[0].ID != entry.ID || got[0].Actor.Kind != "anonymous" {
		t.Errorf("got %+v", got)
	}
}

func TestAFailureLeavesItsRecordAndNoChange(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	_, err := op.Do(t.Context(), run(f, ada(), true), create, func(tx uow.Tx) (int, error) {
		tx.Trail().On("thing", "7", "Seven")
		tx.Trail().Changed(nil, thing{Name: "Seven"})
		if err := addWork(t.Context(), tx); err != nil {
			return 0, err
		}
		return 0, errs.ErrConflict
	})
	got := trail(t, f)
	if !errors.Is(err, errs.ErrConflict) || countWork(t, f) != 0 || len(got) != 1 {
		t.Fatalf("%v: %d pieces of work, events %+v", err, countWork(t, f), got)
	}
	if e := got[0]; e.Outcome != "failed" || e.Code != "conflict" || e.Target.ID != "7" || e.After != nil {
		t.Errorf("got %+v", e)
	}
}

func TestADenialLeavesItsRecord(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	_, err := op.Do(t.Context(), run(f, ada(), false), create.On("9"), func(uow.Tx) (int, error) {
		t.Error("a denied body ran")
		return 0, nil
	})
	got := trail(t, f)
	if !errors.Is(err, errs.ErrForbidden) || len(got) != 1 {
		t.Fatalf("%v: events %+v", err, got)
	}
	if e := got[0]; e.Outcome != "denied" || e.Code != "forbidden" || e.Target != (domain.Target{Kind: "thing", ID: "9"}) {
		t.Errorf("got %+v", e)
	}
}

func TestOnlyRecordedReadsLeaveARecord(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	for _, d := range []op.Def{show, peek} {
		if _, err := op.Do(t.Context(), run(f, ada(), true), d, func(uow.Tx) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if got := trail(t, f); len(got) != 1 || got[0].Operation != show.Name {
		t.Errorf("got %+v", got)
	}
}

func TestWhatCannotBeRecordedDoesNotHappen(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	_, err := op.Do(t.Context(), run(f, ada(), true), create, func(tx uow.Tx) (int, error) {
		tx.Trail().Changed(nil, make(chan int))
		return 0, addWork(t.Context(), tx)
	})
	if err == nil || countWork(t, f) != 0 {
		t.Errorf("%v, %d pieces of work", err, countWork(t, f))
	}
}

func TestSecretsNeverReachTheRow(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	const content = "correct horse battery staple"
	_, err := op.Do(t.Context(), run(f, ada(), true), create, func(tx uow.Tx) (int, error) {
		tx.Trail().Changed(thing{Name: "Seven"}, &thing{Name: "Eight", Key: secret.New(content)})
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = op.Do(t.Context(), run(f, ada(), true), create, func(tx uow.Tx) (int, error) {
		tx.Trail().Changed(nil, map[string]any{"things": []thing{{Key: secret.New(content)}}})
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := wholeRows(t, f)
	if len(rows) != 2 || !strings.Contains(strings.Join(rows, ""), secret.Redacted) {
		t.Fatalf("rows %q", rows)
	}
	for _, row := range rows {
		if strings.Contains(row, "horse") {
			t.Errorf("the row shows the secret: %s", row)
		}
	}
}

// wholeRows reads every event as the text of its whole row.
func wholeRows(t *testing.T, f pgtest.Fixture) (texts []string) {
	t.Helper()
	f.Read(t, func(tx uow.Tx) error {
		rows, err := pg.DB(tx).Query(t.Context(), `SELECT e::text FROM audit_events e`)
		if err != nil {
			return err
		}
		texts, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return texts
}

func TestHostileTextsAreKeptTame(t *testing.T) {
	t.Parallel()
	f, caller := pgtest.Tenant(t), ada()
	hostile := strings.Repeat("\x00\xff\r\n\u202e'\"", 1000)
	caller.Label, caller.Origin.Client, caller.Origin.RequestID = hostile, hostile, hostile
	_, err := op.Do(t.Context(), run(f, caller, true), create.On(hostile), func(tx uow.Tx) (int, error) {
		tx.Trail().Changed(map[string]string{hostile: hostile}, map[string]string{"\x00": "\x00"})
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = op.Do(t.Context(), run(f, caller, false), create.On(hostile), func(uow.Tx) (int, error) { return 0, nil })
	if !errors.Is(err, errs.ErrForbidden) {
		t.Fatal(err)
	}
	if got := trail(t, f); len(got) != 2 {
		t.Errorf("%d records of two attempts", len(got))
	}
	if got := search(t, f, domain.Spec{TargetKind: "thing", TargetID: hostile}).Items; len(got) != 2 {
		t.Errorf("found %d records by the text that was sent", len(got))
	}
}

func TestTheTrailCannotBeChanged(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	entry := op.Entry{ID: uuid.Must(uuid.NewV7()), At: noon, Operation: "things.create", Outcome: op.Done}
	f.Write(t, func(tx uow.Tx) error { return recorder.Record(t.Context(), tx, entry) })
	for name, sql := range map[string]string{
		"update":   `UPDATE audit_events SET outcome = 'denied'`,
		"delete":   `DELETE FROM audit_events`,
		"truncate": `TRUNCATE audit_events`,
		"drop":     `DROP TABLE audit_events`,
		"upsert": `INSERT INTO audit_events SELECT * FROM audit_events
			ON CONFLICT (id) DO UPDATE SET outcome = 'denied'`,
	} {
		t.Run(name, func(t *testing.T) {
			err := f.Unit().Write(t.Context(), func(tx uow.Tx) error {
				_, err := pg.DB(tx).Exec(t.Context(), sql)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "42501") { // insufficient privilege
				t.Errorf("got %v", err)
			}
		})
	}
	err := f.Unit().Write(t.Context(), func(tx uow.Tx) error { return recorder.Record(t.Context(), tx, entry) })
	if err == nil {
		t.Error("one event was recorded twice")
	}
	if got := trail(t, f); len(got) != 1 || got[0].Outcome != "done" {
		t.Errorf("got %+v", got)
	}
}
