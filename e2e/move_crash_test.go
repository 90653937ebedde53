package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// crossing is a move that is interrupted.
type crossing struct {
	from, to       string
	source, target *pgx.Conn // a look into both
	schema         string
	operation      string
	holds          []*pgx.Conn // transactions that keep the move where it is
}

// The moments of a move, from its acceptance to its end. Those that are over at
// once are held: a transaction of the test's has what the next step needs.
var moveMoments = []struct {
	name string
	hold func(t *testing.T, p placed, x *crossing)
	come func(x *crossing, t *testing.T) bool
	// serverAlone says that PostgreSQL has nothing of it to lose.
	serverAlone bool
}{
	{name: "it is accepted", come: func(*crossing, *testing.T) bool { return true }, serverAlone: true},
	{name: "it has begun", serverAlone: true, come: func(x *crossing, t *testing.T) bool { return x.control(t, "attempts > 0") }},
	{name: "the target is there", come: (*crossing).prepared},
	{name: "rows come over", hold: func(t *testing.T, p placed, x *crossing) {
		x.await(t, (*crossing).prepared)
		x.hold(t, p, x.to, "LOCK TABLE "+x.schema+".users IN SHARE MODE")
	}, come: (*crossing).targetWaits},
	{name: "writers are to wait", hold: func(t *testing.T, p placed, x *crossing) { x.holdWriters(t, p) }, come: (*crossing).writersWait},
	{name: "writers wait, and the source is about to give the tenant up", hold: func(t *testing.T, p placed, x *crossing) {
		writing := x.holdWriters(t, p)
		x.await(t, (*crossing).writersWait)
		x.hold(t, p, x.to, "LOCK TABLE "+x.schema+".users IN SHARE UPDATE EXCLUSIVE MODE")
		mustExec(t, writing, "ROLLBACK")
	}, come: (*crossing).targetWaits},
	{name: "the source has given the tenant up, and it is open nowhere", hold: func(t *testing.T, p placed, x *crossing) {
		x.await(t, (*crossing).prepared)
		x.hold(t, p, x.to, "LOCK TABLE control.tenants IN SHARE MODE")
	}, come: func(x *crossing, t *testing.T) bool { return x.isThere(t, x.source, "moved_"+x.schema) }},
	{name: "it works in its new place, and the old rows are there", hold: func(t *testing.T, p placed, x *crossing) {
		x.hold(t, p, x.from, "LOCK TABLE "+x.schema+".users IN ACCESS SHARE MODE")
	}, come: func(x *crossing, t *testing.T) bool { return x.control(t, "step = 'cleaning'") }},
	{name: "it is over", serverAlone: true, come: func(x *crossing, t *testing.T) bool { return x.control(t, "step = 'over'") }},
}

// control asks the registry how far the move is.
func (x *crossing) control(t *testing.T, is string) bool {
	t.Helper()
	conn := x.source
	if x.to == "main" {
		conn = x.target
	}
	return query[bool](t, conn, "SELECT "+is+" FROM control.copies WHERE operation_id::text = $1", x.operation)[0]
}

func (x *crossing) isThere(t *testing.T, conn *pgx.Conn, schema string) bool {
	t.Helper()
	return query[bool](t, conn, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema)[0]
}

func (x *crossing) prepared(t *testing.T) bool { t.Helper(); return x.isThere(t, x.target, x.schema) }

// targetWaits reports that the move waits at the target for what the test has.
func (x *crossing) targetWaits(t *testing.T) bool {
	t.Helper()
	return query[bool](t, x.target, "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = ($1 || '.users')::regclass)", x.schema)[0]
}

// writersWait reports that the move keeps writers out.
func (x *crossing) writersWait(t *testing.T) bool {
	t.Helper()
	return query[bool](t, x.source, "SELECT EXISTS (SELECT FROM control.moving WHERE writers_wait > now())")[0]
}

// hold keeps something from the move until it is struck.
func (x *crossing) hold(t *testing.T, p placed, placement, lock string) *pgx.Conn {
	t.Helper()
	conn := p.look(t, placement)
	mustExec(t, conn, "BEGIN")
	mustExec(t, conn, lock)
	x.holds = append(x.holds, conn)
	return conn
}

// holdWriters is somebody who writes, and is not done with it.
func (x *crossing) holdWriters(t *testing.T, p placed) *pgx.Conn {
	t.Helper()
	return x.hold(t, p, x.from, "LOCK TABLE "+x.schema+".users IN ROW EXCLUSIVE MODE")
}

func (x *crossing) await(t *testing.T, come func(x *crossing, t *testing.T) bool) {
	t.Helper()
	eventually(t, copyLimit, func() error {
		if !come(x, t) {
			return errors.New("the move has not come to that")
		}
		return nil
	})
}

// TestKillDuringMoves kills the server, and PostgreSQL on either side, at every
// step of a move, while people add users: started again, the move is finished,
// nothing is left in the old place, and everybody whom somebody was told of is
// there.
func TestKillDuringMoves(t *testing.T) {
	p := newPlaced(t)
	v := p.serve(t)
	l := p.found(t, v)
	n := l.newTenant(t, "mover")
	file := upload(t, n.owner, "moves.txt", "what moves not")
	work := n.starts(t, 1)
	from, to := "main", east
	for _, m := range moveMoments {
		strikes := map[string]func(){
			"the server": func() {
				v.kill()
				v = p.serve(t)
				work.api.Store(v.api)
				l, n = l.at(v), n.at(v)
			},
			"the source": func() { p.lose(t, from) },
			"the target": func() { p.lose(t, to) },
		}
		for victim, strike := range strikes {
			if m.serverAlone && victim != "the server" {
				continue
			}
			moved := t.Run(fmt.Sprintf("%s is killed when %s", victim, m.name), func(t *testing.T) {
				x := &crossing{from: from, to: to, source: p.look(t, from), target: p.look(t, to), schema: "t_" + strings.ReplaceAll(n.id, "-", "")}
				a := l.operator.do(t, "POST", "/v1/tenants/"+n.id+"/move", object("placement", to)).want(t, http.StatusAccepted)
				x.operation = operationOf(a)
				if m.hold != nil {
					m.hold(t, p, x)
				}
				x.await(t, m.come)
				strike()
				for _, c := range x.holds {
					_ = c.Close(context.Background()) // it may have gone with its server
				}
				l.follow(t, a, "succeeded")
				p.cleanOf(t, n, from)
				work.isThere(t, p.look(t, to))
				from, to = to, from
			})
			if !moved {
				t.FailNow() // the next ones would only say so again
			}
		}
	}
	work.ends()
	n.worksOn(t, file)
	if report := read[auditReport](t, n.owner.do(t, "GET", "/v1/audit/verify", "").want(t, http.StatusOK)); !report.Fits {
		t.Errorf("the trail: %s", report.says())
	}
}
