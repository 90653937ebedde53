package wiregen_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/pgtest"
)

// second is a placement on a server of its own, which every house knows.
const second = "second"

var _ = show(exhibit{
	permissions: map[string]string{"tenants.move": landlords, "tenants.relocate": noRequest, "tenants.relocated": noRequest, "tenants.move.give_up": noRequest},
	done: map[string]deed{
		"tenants.move": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/move", object("placement", second))
		}, "tenant"},
	},
	failed: map[string]attempt{
		"tenants.move": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/move", object("placement", "main"))
		}, "tenants.placed_there", true},
	},
})

// moved moves a tenant and returns how that went.
func (n *tenant) moved(t *testing.T, what *tenant, to string) tenantsapi.MoveResult {
	t.Helper()
	o := n.must(t, n.as().post(t, "/v1/tenants/"+what.id.String()+"/move", object("placement", to)))
	if o.Moved == nil || o.Moved.To != to || o.Moved.WindowMS <= 0 || o.Moved.Rows == 0 {
		t.Fatalf("the operation says %+v", o.Moved)
	}
	shown := decode[tenantsapi.Tenant](t, n.as().get(t, "/v1/tenants/"+what.id.String()), http.StatusOK)
	if shown.Placement != to {
		t.Fatalf("the tenant is shown in %s", shown.Placement)
	}
	return *o.Moved
}

// elsewhere is a tenant with its rows in the second placement.
func (n *tenant) elsewhere(t *testing.T) *tenant {
	there, h := *n, *n.h
	h.db = pgtest.Elsewhere(t).DB
	there.h = &h
	return &there
}

// TestATenantMoves there and back with all that it has, and whoever works with
// it notices nothing: neither on this node nor on one that has not heard of it.
func TestATenantMoves(t *testing.T) {
	t.Parallel()
	h, other := nodes(t, nil)
	operator := h.operator(t)
	n, file := h.household(t)
	key := n.apiKey(t)
	mustDo(t, n.seenBy(other).as().get(t, "/v1/users")) // the other node remembers where it was
	before := n.rows(t)

	for _, to := range []string{second, "main"} {
		moved := operator.moved(t, n, to)
		t.Logf("to %s: %+v", to, moved)
		there := n
		if to == second {
			there = n.elsewhere(t)
		}
		after := there.rows(t)
		for _, table := range append([]string{"sessions", "api_keys", "settings"}, carried...) {
			if !slices.Equal(before[table], after[table]) {
				t.Errorf("table %s was\n%s\nand is\n%s", table, before[table], after[table])
			}
		}
		for _, node := range []*tenant{n.seenBy(other), n} { // with the session of before
			mustDo(t, node.as().get(t, "/v1/users"))
			mustDo(t, node.h.bearer(key.Key).get(t, "/v1/users"))
		}
		if w := n.as().get(t, file+"/content"); w.Body.String() != "hello" {
			t.Errorf("the file is %d %s", w.Code, w.Body)
		}
		n.user(t)
		n.seal(t)
		if w := n.as().get(t, "/v1/audit/verify"); !strings.Contains(w.Body.String(), `"fits":true`) {
			t.Errorf("the trail in %s: %d %s", to, w.Code, w.Body)
		}
		before = there.rows(t)
	}
	if len(n.events(t, "operation=tenants.move")) != 2 {
		t.Error("the tenant's trail does not tell that it was moved")
	}
	if left := n.elsewhere(t).h.leftOf(t, n.schema); left != 0 {
		t.Errorf("%d left in the placement that the tenant has left", left)
	}
}

// TestMovesThatAreRefused change nothing.
func TestMovesThatAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *config.Config) {
		same := config.Placement{Name: "same", URL: c.Database.URL, MigratorURL: c.Database.MigratorURL}
		c.Database.Placements = append(c.Database.Placements, same)
	})
	operator := h.operator(t)
	n := h.tenant(t)
	to := func(who *tenant, placement string) *response {
		return operator.as().post(t, "/v1/tenants/"+who.id.String()+"/move", object("placement", placement))
	}
	refused(t, to(operator, "same"), http.StatusConflict, "tenants.landlord_move")
	refused(t, to(n, "main"), http.StatusConflict, "tenants.placed_there")
	refused(t, to(n, "nowhere"), http.StatusUnprocessableEntity, "tenants.placement_unknown")
	o := operator.follow(t, to(n, "same"))
	if o.Status != "failed" || o.Error == nil || o.Error.Code != "tenants.same_database" {
		t.Errorf("to the same database: %+v %+v", o, o.Error)
	}
	slug := newSlug() // which is free again each time
	clone := operator.as().post(t, "/v1/tenants/"+n.id.String()+"/clone", fmt.Sprintf(`{"slug":%q,"name":"Clone","placement":"same"}`, slug))
	o = operator.follow(t, clone)
	if o.Status != "failed" || o.Error == nil || o.Error.Code != "tenants.same_database" {
		t.Errorf("a clone in the same database: %+v %+v", o, o.Error)
	}
	for range 2 {
		w := operator.as().post(t, "/v1/tenants", fmt.Sprintf(`{"slug":%q,"name":"New","admin_email":"a@b.example","placement":"same"}`, slug))
		made := decode[tenantsapi.Tenant](t, w, http.StatusAccepted)
		<-h.Provisioner.Start(made.ID)
		o = decode[tenantsapi.Operation](t, operator.as().get(t, w.Header().Get("Location")), http.StatusOK)
		if o.Status != "failed" || o.Error == nil || o.Error.Code != "tenants.same_database" {
			t.Errorf("a tenant in the same database: %+v %+v", o, o.Error)
		}
	}
	mustDo(t, n.as().get(t, "/v1/users"))
	mustDo(t, n.as().post(t, "/v1/users", fmt.Sprintf(`{"email":"x@%s.example","name":"X"}`, n.slug)))
	h.superuser(t, `INSERT INTO control.copies (operation_id, kind, step, source_id, target_id, schema_name, old_schema, attempts, from_placement, to_placement)
		VALUES (gen_random_uuid(), 'clone', 'copying', $1, gen_random_uuid(), '', '', 0, '', '')`, n.id)
	refused(t, to(n, second), http.StatusConflict, "tenants.busy")
}

// Not beside the others: a freeze is everybody's.
func TestNobodyMovesWhileTheFleetIsFrozen(t *testing.T) {
	h := newHouse(t)
	operator, n := h.operator(t), h.tenant(t)
	h.superuser(t, "INSERT INTO control.fleet_freezes (id, reason, frozen_by, frozen_at) VALUES (1, 'a test', 'me', now())")
	defer h.superuser(t, "DELETE FROM control.fleet_freezes")
	w := operator.as().post(t, "/v1/tenants/"+n.id.String()+"/move", object("placement", second))
	refused(t, w, http.StatusConflict, "tenants.fleet_frozen")
}

// TestATenantMovesUnderLoad: requests of two nodes go on while it moves there
// and back, none fails, and what was acknowledged is there, once.
func TestATenantMovesUnderLoad(t *testing.T) {
	t.Parallel()
	h, other := nodes(t, nil)
	operator := h.operator(t)
	n := h.tenant(t)
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var mu sync.Mutex
	var made []string
	for i, node := range []*tenant{n, n.seenBy(other)} {
		load.Go(func() {
			for j := 0; ctx.Err() == nil; j++ {
				email := fmt.Sprintf("u%d-%d@%s.example", i, j, n.slug)
				w := node.as().post(t, "/v1/users", fmt.Sprintf(`{"email":%q,"name":"Some"}`, email))
				if w.Code != http.StatusCreated {
					t.Errorf("write %s: %d %s", email, w.Code, w.Body)
					return
				}
				mu.Lock()
				made = append(made, email)
				mu.Unlock()
				if w := node.as().get(t, "/v1/users?limit=10"); w.Code != http.StatusOK {
					t.Errorf("read: %d %s", w.Code, w.Body)
					return
				}
			}
		})
	}
	for _, to := range []string{second, "main", second} {
		moved := operator.moved(t, n, to)
		t.Logf("to %s: %+v", to, moved)
	}
	stop()
	load.Wait()
	db, err := pgx.Connect(t.Context(), pgtest.Elsewhere(t).SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	found, _ := db.Query(t.Context(), "SELECT email FROM "+n.schema+".users WHERE email LIKE 'u%-%@%' ORDER BY email")
	kept, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(made)
	if !slices.Equal(made, kept) {
		t.Errorf("%d changes were acknowledged, %d are there", len(made), len(kept))
	}
	t.Logf("%d changes", len(made))
}
