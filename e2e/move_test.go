package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// crew are people who add users to a tenant all the time, and remember whom
// they were told of.
type crew struct {
	n     tenant
	api   atomic.Value // string: where the server is now
	stop  context.CancelFunc
	group sync.WaitGroup

	mu      sync.Mutex
	told    map[string]bool
	refused []string // answers that were no success, and none of a server that is away
}

// crewRhythm keeps a crew from taking the machine for itself.
const crewRhythm = 100 * time.Millisecond

// starts has a crew of a few begin; it ends with the test at the latest.
func (n tenant) starts(t *testing.T, people int) *crew {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	c := &crew{n: n, stop: stop, told: map[string]bool{}}
	c.api.Store(n.owner.api)
	for range people {
		c.group.Go(func() {
			next := time.NewTicker(crewRhythm)
			defer next.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-next.C:
					c.add(ctx)
				}
			}
		})
	}
	t.Cleanup(func() { c.ends() })
	return c
}

func (c *crew) add(ctx context.Context) {
	email := fmt.Sprintf("user-%d@example.com", slugs.Add(1))
	who := c.n.owner
	who.api = c.api.Load().(string)
	body := object("email", email, "name", "Una User", "roles", []string{"member"})
	a, err := who.try(context.WithoutCancel(ctx), request{method: "POST", path: "/v1/users", body: body})
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.refused = append(c.refused, err.Error())
	case a.status != http.StatusCreated:
		c.refused = append(c.refused, fmt.Sprintf("%d %s", a.status, a.body))
	default:
		c.told[email] = true
	}
}

func (c *crew) ends() {
	c.stop()
	c.group.Wait()
}

// isThere looks for every user that somebody was told of, past all walls, where
// the tenant is.
func (c *crew) isThere(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	c.mu.Lock() // whoever is told later is not looked for
	defer c.mu.Unlock()
	found := map[string]bool{}
	for _, email := range query[string](t, conn, "SELECT email FROM "+pgx.Identifier{schemaOf(t, conn, c.n.id), "users"}.Sanitize()) {
		found[email] = true
	}
	for email := range c.told {
		if !found[email] {
			t.Errorf("%s was answered with 201 and is lost", email)
		}
	}
	if len(c.told) == 0 {
		t.Error("nobody was told of anything")
	}
	t.Logf("%d users were acknowledged, %d are there", len(c.told), len(found))
}

// shownMove is what the API and commands print of a move.
type shownMove struct {
	longWork
	Moved struct {
		From, To string
		WindowMS int64 `json:"window_ms"`
		Rows     int64
	}
}

// TestATenantMovesOnTheRunningStack to another PostgreSQL server over HTTP, and
// back with the binary. Those who work with it notice nothing, and it has in
// each place all that it had.
func TestATenantMovesOnTheRunningStack(t *testing.T) {
	p := newPlaced(t)
	v := p.serve(t, "INSULA_AUDIT_SEAL_EVERY=1s")
	l := p.found(t, v)
	n := l.newTenant(t, "mover")
	file := upload(t, n.owner, "moves.txt", "what moves not")
	n.sealed(t)
	n.mainJob(t)
	trail := p.audits(t, n, v)
	work := n.starts(t, 3)

	there := l.operator.do(t, "POST", "/v1/tenants/"+n.id+"/move", object("placement", east)).want(t, http.StatusAccepted)
	l.follow(t, there, "succeeded")
	moved := read[shownMove](t, l.operator.do(t, "GET", there.header.Get("Location"), "").want(t, http.StatusOK)).Moved
	if moved.From != "main" || moved.To != east || moved.WindowMS <= 0 || moved.Rows == 0 {
		t.Errorf("the operation says %+v", moved)
	}
	p.houses(t, east, n)
	n.worksOn(t, file)
	trail.fits(t)

	said := string(p.insula(t, "tenant", "move", n.slug, "--to", "main", "--wait"))
	if !regexp.MustCompile(`moved from east to main: \d+ rows, \d+ bytes; writers waited [1-9]\d* ms`).MatchString(said) {
		t.Errorf("insula tenant move prints %s", said)
	}
	t.Logf("writers waited %d ms; %s", moved.WindowMS, said)
	p.houses(t, "main", n)
	n.worksOn(t, file)
	work.ends()
	if len(work.refused) > 0 {
		t.Errorf("%d of %d were refused, such as %s", len(work.refused), len(work.told)+len(work.refused), work.refused[0])
	}
	work.isThere(t, p.look(t, "main"))
	trail.fits(t)
	p.cleanOf(t, n, east)
}

// houses looks for a tenant in a placement: in what the API and the command
// print, and in what is there.
func (p placed) houses(t *testing.T, placement string, n tenant) {
	t.Helper()
	if at := n.operator.do(t, "GET", "/v1/tenants/"+n.id, "").want(t, http.StatusOK).text(t, "placement"); at != placement {
		t.Errorf("the tenant is shown in %s", at)
	}
	var list []struct {
		Name      string
		Tenants   int
		Reachable bool
	}
	if out := p.insula(t, "placement", "list", "--json"); json.Unmarshal(out, &list) != nil || len(list) != 2 {
		t.Fatalf("insula placement list prints %s", out)
	}
	for _, one := range list {
		if want := map[bool]int{true: 1}[one.Name == placement]; !one.Reachable || one.Name == east && one.Tenants != want {
			t.Errorf("insula placement list says %+v, the tenant is in %s", one, placement)
		}
	}
	if there := query[int64](t, p.look(t, placement), "SELECT count(*) FROM pg_namespace WHERE nspname = 't_' || replace($1, '-', '')", n.id); there[0] != 1 {
		t.Errorf("there is no schema in %s", placement)
	}
}

// worksOn does what people do, with what was there before the tenant moved.
func (n tenant) worksOn(t *testing.T, file string) {
	t.Helper()
	if got := n.owner.do(t, "GET", "/v1/files/"+file+"/content", "").want(t, http.StatusOK); string(got.body) != "what moves not" {
		t.Errorf("the file is %s", got.body)
	}
	n.mainJob(t)
}

// fits verifies the trail, online and by an export, once all of it is sealed.
func (a auditor) fits(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		if report := a.online(t); !report.Fits || report.Size < a.sealed {
			return fmt.Errorf("%s, %d records are sealed, were %d", report.says(), report.Size, a.sealed)
		}
		return nil
	})
	if report := a.offline(t); !report.Fits {
		t.Errorf("the export: %s", report.says())
	}
}

// cleanOf finds nothing of a tenant in a placement that it has left.
func (p placed) cleanOf(t *testing.T, n tenant, placement string) {
	t.Helper()
	schema := "t_" + strings.ReplaceAll(n.id, "-", "")
	left := query[string](t, p.look(t, placement), `
		SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE '%' || $1
		UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname = $1
		UNION ALL SELECT 'entry of ' || slug FROM control.tenants WHERE schema_name = $1 AND $2 <> 'main'`, schema, placement)
	if len(left) > 0 {
		t.Errorf("left in %s: %v", placement, left)
	}
}
