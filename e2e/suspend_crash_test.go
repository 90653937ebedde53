package e2e_test

import (
	"context"
	"net/http"
	"testing"
)

// TestKillDuringSuspend kills the server and then PostgreSQL while a tenant is
// being suspended and resumed, and when that was just answered. What was not
// answered did not happen or happened as a whole; what was answered holds.
func TestKillDuringSuspend(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t)
	l := s.found(t, v)
	n := l.newTenant(t, "paused")
	for name, strike := range map[string]func(){
		"server": func() {
			v.kill()
			v = s.serve(t)
			l = s.found(t, v)
		},
		"PostgreSQL": func() { s.loseDatabase(t, v) },
	} {
		for _, verb := range []string{"suspend", "resume"} {
			before := s.standingOf(t, l, n, verb)
			s.interrupted(t, l, n, verb, strike)
			if now := s.standingOf(t, l, n, verb); now != before {
				t.Errorf("%s killed during %s: the tenant was %+v and is %+v", name, verb, before, now)
			}
			l.operator.do(t, "POST", "/v1/tenants/"+n.id+"/"+verb, "").want(t, http.StatusOK)
			strike()
			want := lifeStanding{status: map[string]string{"suspend": "suspended", "resume": "active"}[verb], told: before.told + 1}
			if now := s.standingOf(t, l, n, verb); now != want {
				t.Errorf("%s killed after %s: the tenant is %+v, want %+v", name, verb, now, want)
			}
			u := client{api: v.api, tenant: n.slug, token: n.owner.token}
			if verb == "suspend" {
				u.do(t, "GET", "/v1/me", "").refused(t, http.StatusForbidden, "tenant_suspended")
			} else {
				u.do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
			}
		}
	}
}

// lifeStanding is where a tenant is, and how often the operator's trail tells
// of what was done to it.
type lifeStanding struct {
	status string
	told   int
}

func (s *stack) standingOf(t *testing.T, l landlord, n tenant, verb string) lifeStanding {
	t.Helper()
	at := l.operator.do(t, "GET", "/v1/tenants/"+n.id, "").want(t, http.StatusOK).text(t, "status")
	return lifeStanding{at, len(l.operator.trail(t, "outcome=done&operation=tenants."+verb+"&target_id="+n.id))}
}

// interrupted strikes in the middle of a change: it holds the tenant's row, and
// waits until the change waits for it.
func (s *stack) interrupted(t *testing.T, l landlord, n tenant, verb string, strike func()) {
	t.Helper()
	holder, watcher := s.inspector(t), s.inspector(t)
	mustExec(t, holder, "BEGIN")
	mustExec(t, holder, "SELECT FROM control.tenants WHERE id::text = $1 FOR UPDATE", n.id)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		a, err := l.operator.try(context.WithoutCancel(t.Context()), request{method: "POST", path: "/v1/tenants/" + n.id + "/" + verb})
		if err == nil && a.status == http.StatusOK {
			t.Errorf("%s was answered with %d", verb, a.status)
		}
	}()
	waits := "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%control.tenants%' AND pid <> $1"
	for !query[bool](t, watcher, waits, holder.PgConn().PID())[0] {
		continue // look again
	}
	strike()
	_ = holder.Close(context.Background()) // it may have gone with its server
	<-answered
}
