package wiregen_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	tenantsdomain "github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/pgtest"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// frail is a placement whose server a test kills.
const frail = "frail"

// frailHouse is a house with one more placement, whose server may be killed.
func frailHouse(t *testing.T) (*house, *pgtest.Machine) {
	t.Helper()
	m := pgtest.OwnMachine(t)
	h := newHouse(t, func(c *config.Config) {
		c.Database.Placements = append(c.Database.Placements, config.Placement{Name: frail, URL: m.AppURL, MigratorURL: m.MigratorURL})
	})
	return h, m
}

// stalled begins to move a tenant and has it wait for a lock of the test's on its
// users, in the database of url; it waits when this returns.
func (n *tenant) stalled(t *testing.T, what *tenant, to, url, lock string) *response {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // its server may have been killed
	ask := func(question string) {
		deadline := time.Now().Add(patience)
		for done := false; !done; {
			if time.Now().After(deadline) {
				t.Fatal("the move has not come to where it is to wait")
			}
			if err := conn.QueryRow(t.Context(), question, what.schema).Scan(&done); err != nil {
				t.Fatal(err)
			}
		}
	}
	hold := func() {
		for _, sql := range []string{"BEGIN", "LOCK TABLE " + what.schema + ".users IN " + lock + " MODE"} {
			if _, err := conn.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	const isThere = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)"
	var w *response
	if to == frail {
		w = n.as().post(t, "/v1/tenants/"+what.id.String()+"/move", object("placement", to))
		ask(isThere)
		hold()
	} else {
		hold()
		w = n.as().post(t, "/v1/tenants/"+what.id.String()+"/move", object("placement", to))
	}
	ask(somebodyWaits)
	return w
}

// somebodyWaits asks whether somebody waits for the users of a schema, put away
// or not.
const somebodyWaits = `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE NOT l.granted AND c.relname = 'users' AND n.nspname IN ($1::text, 'moved_' || $1::text))`

func (h *house) giveUp(t *testing.T, n *tenant) (tenantsdomain.Ending, error) {
	t.Helper()
	at, err := h.Directory.Registered(t.Context(), n.slug)
	if err != nil {
		t.Fatal(err)
	}
	_, e, err := wiregen.GiveUpMove(t.Context(), h.Process, at)
	return e, err
}

// remains are what is noted of a tenant.
func (h *house) remains(t *testing.T, n *tenant) []tenantsdomain.Remains {
	t.Helper()
	all, err := h.Transfer.Remains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(r tenantsdomain.Remains) bool { return r.Tenant != n.id })
}

// swept has what is noted of a tenant removed, which works once the server is
// there again, and looks for what is left there.
func (h *house) swept(t *testing.T, n *tenant, m *pgtest.Machine) {
	t.Helper()
	noted := h.remains(t, n)
	if len(noted) != 1 || noted[0].Placement != frail {
		t.Fatalf("noted: %+v", noted)
	}
	if err := <-h.Sweeper.Start(noted[0].ID); err == nil {
		t.Error("swept a server that is away")
	}
	m.Start(t)
	for range 20 { // connections may be of the time before
		if err := <-h.Sweeper.Start(noted[0].ID); err == nil {
			break
		}
	}
	if noted := h.remains(t, n); len(noted) != 0 {
		t.Errorf("still noted: %+v", noted)
	}
	there := *n
	there.h = &house{Process: h.Process, db: m.DB}
	if left := there.h.leftOf(t, n.schema) + there.h.leftOf(t, "moved_"+n.schema); left != 0 {
		t.Errorf("%d left on the server that was away", left)
	}
}

// ended reads how an operation has ended.
func (n *tenant) ended(t *testing.T, w *response, status, code string) {
	t.Helper()
	o := decode[tenantsapi.Operation](t, n.as().get(t, w.Header().Get("Location")), http.StatusOK)
	if o.Status != status || code == "" && o.Error != nil || code != "" && (o.Error == nil || o.Error.Code != code) {
		t.Errorf("the operation says %+v %+v", o, o.Error)
	}
}

// TestAMoveToALostServerIsGivenUp: the tenant stays where it is, and all can be
// done with it again. What the server has is removed when it is back.
func TestAMoveToALostServerIsGivenUp(t *testing.T) {
	t.Parallel()
	h, m := frailHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	if _, err := h.giveUp(t, n); !errors.Is(err, tenantsdomain.ErrNoMove) {
		t.Errorf("without a move: %v", err)
	}
	moving := operator.stalled(t, n, frail, m.SuperuserURL, "SHARE")
	m.Kill(t)
	refused(t, operator.as().post(t, "/v1/tenants/"+n.id.String()+"/backups", ""), http.StatusConflict, "tenants.busy")
	e, err := h.giveUp(t, n)
	if err != nil || e.Remains != frail || !e.Failed {
		t.Fatalf("%+v, %v", e, err)
	}
	operator.ended(t, moving, "failed", "tenants.move_given_up")
	mustDo(t, n.as().post(t, "/v1/users", `{"email":"late@`+n.slug+`.example","name":"Late"}`))
	operator.backup(t, n)
	operator.moved(t, n, second)
	for _, who := range []*tenant{operator, n} {
		if told := who.events(t, "operation=tenants.move.give_up&outcome=done&target_id="+n.id.String()); len(told) != 1 {
			t.Errorf("the trail of %s says %+v", who.slug, told)
		}
	}
	h.swept(t, n, m)
	operator.moved(t, n, frail)
	mustDo(t, n.as().get(t, "/v1/users"))
}

// TestAReceiptWaitsForALostServer: a tenant is not said to be erased while a server
// that is away has rows of it.
func TestAReceiptWaitsForALostServer(t *testing.T) {
	t.Parallel()
	h, m := frailHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	operator.stalled(t, n, frail, m.SuperuserURL, "SHARE")
	m.Kill(t)
	if _, err := h.giveUp(t, n); err != nil {
		t.Fatal(err)
	}
	n.delete(t)
	erasing := operator.as().post(t, "/v1/tenants/"+n.id.String()+"/erase", object("slug", n.slug))
	if err := <-h.Eraser.Start(n.id); !errors.Is(err, tenantsdomain.ErrRemains) || !strings.Contains(err.Error(), frail) {
		t.Errorf("while the server is away: %v", err)
	}
	operator.ended(t, erasing, "running", "tenants.remains_elsewhere")
	refused(t, operator.as().get(t, "/v1/tenants/"+n.id.String()+"/receipt"), http.StatusNotFound, "tenants.receipt_not_found")
	h.swept(t, n, m)
	h.erased(t, n)
	mustDo(t, operator.as().get(t, "/v1/tenants/"+n.id.String()+"/receipt"))
}

// TestAMoveFromALostServerIsOver: the tenant works in its new place, whose
// schema is all that it should be, and the old rows go when the server is back.
func TestAMoveFromALostServerIsOver(t *testing.T) {
	t.Parallel()
	h, m := frailHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	operator.moved(t, n, frail)
	moving := operator.stalled(t, n, second, m.SuperuserURL, "ACCESS SHARE")
	if _, err := h.giveUp(t, n); !errors.Is(err, tenantsdomain.ErrGoesOn) {
		t.Errorf("while both answer: %v", err)
	}
	m.Kill(t)
	e, err := h.giveUp(t, n)
	if err != nil || e.Remains != frail || e.Failed {
		t.Fatalf("%+v, %v", e, err)
	}
	operator.ended(t, moving, "succeeded", "")
	mustDo(t, n.as().get(t, "/v1/users"))
	operator.moved(t, n, "main") // which refuses a schema that is not as declared
	h.swept(t, n, m)
}

// TestAMoveIsNotGivenUpInTheDark: where only the lost server knows whether it
// has given the tenant up, nobody guesses. When it is back, the move goes on.
func TestAMoveIsNotGivenUpInTheDark(t *testing.T) {
	t.Parallel()
	h, m := frailHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	operator.moved(t, n, frail)
	moving := operator.stalled(t, n, second, m.SuperuserURL, "ACCESS EXCLUSIVE")
	m.Kill(t)
	if _, err := h.giveUp(t, n); !errors.Is(err, tenantsdomain.ErrFateUnknown) {
		t.Errorf("got %v", err)
	}
	if noted := h.remains(t, n); len(noted) != 0 {
		t.Errorf("noted: %+v", noted)
	}
	m.Start(t)
	operator.must(t, moving)
	mustDo(t, n.as().get(t, "/v1/users"))
}

// TestAMoveIsTakenBack where both servers answer: what was made goes.
func TestAMoveIsTakenBack(t *testing.T) {
	t.Parallel()
	h, m := frailHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	moving := operator.stalled(t, n, frail, m.SuperuserURL, "SHARE")
	e, err := h.giveUp(t, n)
	if err != nil || e.Step != tenantsdomain.Undoing || e.Remains != "" {
		t.Fatalf("%+v, %v", e, err)
	}
	unlock(t, m)
	if o := operator.follow(t, moving); o.Status != "failed" || o.Error == nil || o.Error.Code != "tenants.move_given_up" {
		t.Errorf("the operation says %+v %+v", o, o.Error)
	}
	if left := (&house{Process: h.Process, db: m.DB}).leftOf(t, n.schema); left != 0 {
		t.Errorf("%d left", left)
	}
	mustDo(t, n.as().get(t, "/v1/users"))
}

// unlock ends the transactions that stand still on a server.
func unlock(t *testing.T, m *pgtest.Machine) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), m.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' AND state = 'idle in transaction'"); err != nil {
		t.Fatal(err)
	}
}
