package wiregen_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/tenancy"
)

// schedule has a tenant backed up by itself, as the operator says.
func (n *tenant) schedule(t *testing.T, of *tenant, values string) {
	t.Helper()
	mustDo(t, n.as().with("If-Match", "*").call(t, "PATCH", "/v1/tenants/"+of.id.String()+"/settings", `{"values":`+values+`}`))
}

// look has the schedule of a tenant looked at, and returns its backups.
func (n *tenant) look(t *testing.T, of *tenant) []tenantsapi.Backup {
	t.Helper()
	if err := <-n.h.Scheduler.Start(of.id); err != nil {
		t.Fatal(err)
	}
	n.owner.signIn(t, n)
	return decode[httpx.List[tenantsapi.Backup]](t, n.as().get(t, "/v1/tenants/"+of.id.String()+"/backups"), http.StatusOK).Items
}

// scheduled has a tenant backed up twice by itself, of which it keeps one.
func (n *tenant) scheduled(t *testing.T, of *tenant) {
	t.Helper()
	n.schedule(t, of, `{"tenants.backup_every":"24h","tenants.backup_keep":1}`)
	first := n.look(t, of)
	n.h.clock.Set(n.h.clock.Now().Add(25 * time.Hour))
	second := n.look(t, of)
	if len(first) != 1 || len(second) != 1 || first[0].ID == second[0].ID {
		t.Errorf("kept are %+v, after %+v", second, first)
	}
}

// TestTheScheduleBacksUp in time and not before, says so on both sides, and
// keeps what the operator says. What somebody asked for is not its business.
func TestTheScheduleBacksUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n := h.tenant(t)
	if made := operator.look(t, n); len(made) != 0 {
		t.Errorf("without a schedule there are %+v", made)
	}
	_, asked := operator.backup(t, n)
	operator.schedule(t, n, `{"tenants.backup_every":"24h","tenants.backup_keep":2}`)
	var seen []string
	for day := range 4 {
		for range 2 {
			made := operator.look(t, n)
			if want := min(day+1, 2) + 1; len(made) != want || made[len(made)-1].ID.String() != asked {
				t.Fatalf("on day %d there are %+v", day, made)
			}
			if b := made[0]; b.Reason != "schedule" || b.Status != "complete" {
				t.Errorf("on day %d: %+v", day, b)
			}
			seen = append(seen, made[0].ID.String())
		}
		h.clock.Set(h.clock.Now().Add(24 * time.Hour))
	}
	if made := slices.Compact(seen); len(made) != 4 {
		t.Errorf("on four days the schedule made %v", made)
	}
	n.owner.signIn(t, n)
	if told := n.events(t, "operation=tenants.backups.schedule"); len(told) != 4 || told[0].Actor.Kind != "job" {
		t.Errorf("the tenant's trail says %+v", told)
	}
	operator.owner.signIn(t, operator)
	for operation, want := range map[string]int{"tenants.backups.schedule": 4, "tenants.backups.expire": 2} {
		found := operator.events(t, "outcome=done&operation="+operation)
		ours := 0
		for _, e := range found {
			if e.Target.ID == n.id.String() || e.Target.Label == n.slug {
				ours++
			}
		}
		if ours != want {
			t.Errorf("the operator's trail has %s %d times, want %d", operation, ours, want)
		}
	}
}

// TestASuspendedTenantIsBackedUpToo: its schedule goes on, and what it keeps of
// that, wherever its rows are.
func TestASuspendedTenantIsBackedUpToo(t *testing.T) {
	t.Parallel()
	h := houseOn(t, pgtest.Own(t)) // the schedules of all tenants are looked at
	for _, placement := range []string{tenancy.MainPlacement, second} {
		n := h.tenantIn(t, placement)
		mustDo(t, h.ruled.as().post(t, "/v1/tenants/"+n.id.String()+"/suspend", ""))
		h.ruled.scheduled(t, n)
	}
	h.clock.Set(h.clock.Now().Add(25 * time.Hour))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- h.Scheduler.Run(ctx) }()
	made := func() int64 {
		return h.number(t, "SELECT count(*) FROM control.operations WHERE kind = 'tenants.backup' AND status = 'succeeded'")
	}
	h.until(t, "the suspended tenants are looked after", func() bool { return made() == 6 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestTwoNodesScheduleOne: however many processes find that it is time, one
// backup is made.
func TestTwoNodesScheduleOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator, n := h.operator(t), h.tenant(t)
	operator.schedule(t, n, `{"tenants.backup_every":"1h"}`)
	var ended []<-chan error
	for _, node := range []*house{h, newHouse(t), newHouse(t)} {
		ended = append(ended, node.Scheduler.Start(n.id))
	}
	for _, end := range ended {
		if err := <-end; err != nil {
			t.Error(err)
		}
	}
	if made := operator.look(t, n); len(made) != 1 {
		t.Errorf("there are %+v", made)
	}
}

// TestRetentionKeepsWhatIsNeeded: a backup that is being restored stays until
// that is over, and the last good one for ever.
func TestRetentionKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, _ := h.household(t)
	operator.schedule(t, n, `{"tenants.backup_every":"24h","tenants.backup_keep":1,"tenants.backup_keep_for":"48h"}`)
	first := operator.look(t, n)[0]
	restore := operator.stuck(t, copyRequests(n.id.String(), first.ID.String())["restore"])
	h.clock.Set(h.clock.Now().Add(25 * time.Hour))
	if made := operator.look(t, n); len(made) != 2 {
		t.Errorf("while the first is being restored there are %+v", made)
	}
	operator.must(t, restore)
	if made := operator.look(t, n); len(made) != 1 || made[0].ID == first.ID {
		t.Errorf("after that there are %+v", made)
	}
	h.clock.Set(h.clock.Now().Add(100 * 24 * time.Hour))
	h.blobs.FailWith(s3x.ErrUnavailable)
	if err := <-h.Scheduler.Start(n.id); err == nil {
		t.Error("without the store a backup was made")
	}
	h.blobs.FailWith(nil)
	if made := operator.look(t, n); len(made) != 2 || made[0].Status != "running" || made[1].Status != "complete" {
		t.Errorf("while the store is away there are %+v", made)
	}
}
