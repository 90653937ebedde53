package wiregen_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/pgtest"
)

// realm is a house on two servers of its own, which can be killed.
type realm struct {
	*house
	main, second *pgtest.Machine
}

func newRealm(t *testing.T) *realm {
	t.Helper()
	r := &realm{main: pgtest.OwnMachine(t), second: pgtest.OwnMachine(t)}
	r.house = houseOn(t, r.main.DB, func(c *config.Config) {
		c.Database.Placements[0].URL, c.Database.Placements[0].MigratorURL = r.second.AppURL, r.second.MigratorURL
	})
	return r
}

// there is the house with the database of the second placement.
func (r *realm) there() *house {
	h := *r.house
	h.db = r.second.DB
	return &h
}

// lock keeps the work on tenants from going on beyond a point: where it needs a
// table, on one of the servers.
type lock struct {
	second      bool
	table, mode string
}

// The points that these tests use.
var (
	announcing = lock{true, "control.tenants", "ACCESS EXCLUSIVE"}
	taking     = lock{true, "control.copies", "ACCESS EXCLUSIVE"}
	preparing  = lock{true, "pg_namespace", "SHARE"}
	naming     = lock{true, "pg_authid", "SHARE"} // making or removing a role
	building   = lock{true, "pg_constraint", "SHARE"}
	deciding   = lock{true, "control.tenants", "EXCLUSIVE"}
	following  = lock{false, "control.tenants", "EXCLUSIVE"}
)

// server is that of a lock.
func (r *realm) server(second bool) *pgtest.Machine {
	if second {
		return r.second
	}
	return r.main
}

// hold takes a lock; closing what it returns lets it go.
func (r *realm) hold(t *testing.T, l lock) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), r.server(l.second).SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE "+l.table+" IN "+l.mode+" MODE"); err != nil {
		t.Fatal(err)
	}
	return conn
}

// stuck waits until the work has come to a lock.
func (r *realm) stuck(t *testing.T, l lock) {
	t.Helper()
	h := r.house
	if l.second {
		h = r.there()
	}
	const waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'insula migrator' AND wait_event_type = 'Lock'"
	h.until(t, fmt.Sprintf("somebody waits for %+v", l), func() bool { return h.number(t, waiting) > 0 })
}

// strike has the work that begin asks for stop at the last of the locks, which
// it meets one after the other, and kills one of the servers then. It returns
// what begin was answered. Begin is told whether the work was struck: until then
// an attempt that ends had a connection to a server that is gone.
func (r *realm) strike(t *testing.T, second bool, begin func(struck func() bool) *response, locks ...lock) *response {
	t.Helper()
	held := r.hold(t, locks[0])
	answer := make(chan *response, 1)
	var struck atomic.Bool
	go func() { answer <- begin(struck.Load) }()
	for i, l := range locks {
		r.stuck(t, l)
		if i+1 < len(locks) {
			next := r.hold(t, locks[i+1])
			_ = held.Close(t.Context()) // lets the work go on
			held = next
		}
	}
	struck.Store(true)
	blown := r.server(second)
	blown.Kill(t)
	blown.Start(t)
	_ = held.Close(t.Context()) // its server may be gone
	return <-answer
}

// calm sends a request until it is answered by other than 503: connections to a
// server that was killed are found out one by one.
func calm(t *testing.T, send func() *response) *response {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		if w := send(); w.Code != http.StatusServiceUnavailable || time.Now().After(deadline) {
			return w
		}
	}
}

// The servers that are killed.
const theMain, thePlacement = "the main server", "the placement"

// TestEitherServerDiesWhileATenantIsMadeElsewhere at each of its steps: it is
// made whole by the next try, once.
func TestEitherServerDiesWhileATenantIsMadeElsewhere(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	for name, locks := range map[string][]lock{
		"announced": {announcing}, "given a role": {naming}, "given a schema": {preparing}, "given tables": {building},
		"let in": {announcing, following},
	} {
		for _, victim := range []string{theMain, thePlacement} {
			t.Run(name+" without "+victim, func(t *testing.T) {
				slug := newSlug()
				w := r.strike(t, victim == thePlacement, func(func() bool) *response { return r.creates(t, slug) }, locks...)
				made := decode[tenantsapi.Tenant](t, w, http.StatusCreated, http.StatusAccepted)
				r.isMade(t, made.ID, slug)
			})
		}
	}
	r.nothingElse(t)
}

// creates asks for a tenant in the second placement.
func (r *realm) creates(t *testing.T, slug string) *response {
	body := fmt.Sprintf(`{"slug":%q,"name":"Test","admin_email":"owner@%s.example","placement":%q}`, slug, slug, second)
	return r.ruled.as().post(t, "/v1/tenants", body)
}

// isMade goes on making a tenant, as the worker would after a while, and looks
// whether it is whole.
func (r *realm) isMade(t *testing.T, id uuid.UUID, slug string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		err := <-r.Provisioner.Start(id)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if done := r.number(t, "SELECT count(*) FROM control.operations WHERE tenant_id = $1 AND status = 'succeeded'", id); done != 1 {
		t.Error("the operation has not succeeded")
	}
	n := &tenant{h: r.house, id: id, slug: slug, secrets: &secrets{}}
	email := "owner@" + slug + ".example"
	calm(t, func() *response { return n.login(t, email, "not yet") })
	n.owner = n.accept(t, email, r.mail.token(t, email))
	mustDo(t, n.as().get(t, "/v1/users"))
}

// nothingElse finds that both registries say the same of the tenants of the
// second placement, and no schema, role or work beside them.
func (r *realm) nothingElse(t *testing.T) {
	t.Helper()
	there := r.there()
	if unlike, err := r.Mirror.Unlike(t.Context(), second); err != nil || len(unlike) > 0 {
		t.Errorf("the placement says otherwise of %v, %v", unlike, err)
	}
	for _, h := range []*house{r.house, there} {
		for what, query := range map[string]string{
			"schemas": "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\\_%' AND nspname NOT IN (SELECT schema_name FROM control.tenants UNION ALL SELECT schema_name FROM control.spares)",
			"roles":   "SELECT count(*) FROM pg_roles WHERE rolname LIKE 't\\_%' AND rolname NOT IN (SELECT schema_name FROM control.tenants UNION ALL SELECT schema_name FROM control.spares)",
			"copies":  "SELECT count(*) FROM control.copies WHERE step <> 'over'",
			"tenants": "SELECT count(*) FROM control.tenants WHERE status <> 'active'",
		} {
			if n := h.number(t, query); n != 0 {
				t.Errorf("%d %s are left", n, what)
			}
		}
	}
	const entries = "SELECT count(*) FROM control.tenants WHERE placement = 'second'"
	if here, there := r.number(t, entries), there.number(t, entries); here != there {
		t.Errorf("%d tenants are said to be in the placement, which knows %d", here, there)
	}
}

// TestEitherServerDiesDuringACopyElsewhere at each step of a restore in place
// and of a clone in another placement: it is finished by the next attempt, as if
// nothing had been.
func TestEitherServerDiesDuringACopyElsewhere(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	n, _ := r.householdIn(t, second)
	source, backup := r.ruled.backup(t, n)
	there := &tenant{h: r.there(), schema: n.schema}
	before := there.rows(t)
	inPlace := func() *response {
		return r.ruled.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, backup))
	}
	clone := func() *response {
		return r.ruled.as().post(t, "/v1/tenants/"+source+"/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone","placement":%q}`, newSlug(), second))
	}
	for _, step := range []struct {
		name    string
		begin   func() *response
		victims []string
		locks   []lock
	}{
		{"a restore is taken up", inPlace, []string{thePlacement}, []lock{taking}},
		{"a restore makes its schema", inPlace, []string{theMain}, []lock{preparing}},
		{"a restore is decided", inPlace, []string{theMain, thePlacement}, []lock{preparing, deciding}},
		{"the registry follows a restore", inPlace, []string{theMain, thePlacement}, []lock{preparing, following}},
		{"a restore removes the old schema", inPlace, []string{thePlacement}, []lock{preparing, following, naming}},
		{"the registry follows a clone", clone, []string{theMain}, []lock{preparing, following}},
	} {
		for _, victim := range step.victims {
			t.Run(step.name+" without "+victim, func(t *testing.T) {
				o := r.ends(t, r.strike(t, victim == thePlacement, func(struck func() bool) *response {
					w := step.begin()
					for ended := w.Code != http.StatusAccepted; !ended; ended = struck() {
						<-r.Copier.Start(operationOf(t, w))
					}
					return w
				}, step.locks...))
				made := r.registered(t, o.TenantID)
				after := (&tenant{h: r.there(), schema: made}).rows(t)
				for _, table := range carried {
					if !slices.Equal(before[table], after[table]) {
						t.Errorf("table %s was\n%s\nand is\n%s", table, before[table], after[table])
					}
				}
			})
		}
	}
	r.nothingElse(t)
}

// operationOf is the operation that an answer names.
func operationOf(t *testing.T, w *response) uuid.UUID {
	t.Helper()
	if w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return uuid.MustParse(strings.TrimPrefix(w.Header().Get("Location"), "/v1/operations/"))
}

// ends goes on with an operation, as the worker would after a while, and
// returns it when it has succeeded.
func (r *realm) ends(t *testing.T, w *response) tenantsapi.Operation {
	t.Helper()
	id := operationOf(t, w)
	for deadline := time.Now().Add(patience); ; {
		<-r.Copier.Start(id)
		w := calm(t, func() *response { return r.ruled.as().get(t, "/v1/operations/"+id.String()) })
		o := decode[tenantsapi.Operation](t, w, http.StatusOK)
		switch {
		case o.Status == "succeeded":
			return o
		case o.Status == "failed", time.Now().After(deadline):
			t.Fatalf("%+v %+v", o, o.Error)
		}
	}
}

// registered is the schema of a tenant, by the registry.
func (r *realm) registered(t *testing.T, id uuid.UUID) (schema string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), r.main.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	err = db.QueryRow(t.Context(), "SELECT schema_name FROM control.tenants WHERE id = $1 AND status = 'active'", id).Scan(&schema)
	if errors.Is(err, pgx.ErrNoRows) {
		t.Fatal("the tenant is not active")
	}
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestWhatIsToBeMadeWaitsForItsPlacement and says so; when the placement is back
// it is made.
func TestWhatIsToBeMadeWaitsForItsPlacement(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	source := r.tenant(t)
	slug := newSlug()
	r.second.Kill(t)
	created := r.creates(t, slug)
	made := decode[tenantsapi.Tenant](t, created, http.StatusAccepted)
	cloned := r.ruled.as().post(t, "/v1/tenants/"+source.id.String()+"/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone","placement":%q}`, newSlug(), second))
	<-r.Copier.Start(operationOf(t, cloned))
	for what, w := range map[string]*response{"a new tenant": created, "a clone": cloned} {
		o := decode[tenantsapi.Operation](t, r.ruled.as().get(t, w.Header().Get("Location")), http.StatusOK)
		if o.Status != "running" || o.Error == nil || o.Error.Code != "tenants.placement_away" {
			t.Errorf("%s while the placement is away: %+v %+v", what, o, o.Error)
		}
	}
	r.second.Start(t)
	r.isMade(t, made.ID, slug)
	if o := r.ends(t, cloned); o.Progress != 100 || o.Error != nil {
		t.Errorf("the clone: %+v %+v", o, o.Error)
	}
	r.nothingElse(t)
}
