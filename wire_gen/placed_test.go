package wiregen_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
)

// TestAPlacedTenantHasItsWholeLife away from the registry: it is made there,
// works, is suspended, exported, backed up, put back in place, copied into new
// tenants there and in the main placement, deleted, brought back and erased.
func TestAPlacedTenantHasItsWholeLife(t *testing.T) {
	t.Parallel()
	h, other := nodes(t, nil)
	operator := h.operator(t)
	n, file := h.householdIn(t, second)
	path := "/v1/tenants/" + n.id.String()
	there := n.elsewhere(t)

	if shown := decode[tenantsapi.Tenant](t, operator.as().get(t, path), http.StatusOK); shown.Placement != second || shown.Status != "active" {
		t.Fatalf("it is made as %+v", shown)
	}
	mustDo(t, n.seenBy(other).as().get(t, "/v1/users"))
	operator.goesBack(t, n, there, file)
	mustDo(t, n.seenBy(other).as().get(t, "/v1/users"))

	mustDo(t, operator.as().post(t, path+"/suspend", ""))
	refused(t, n.seenBy(other).as().get(t, "/v1/users"), http.StatusForbidden, "tenant_suspended")
	operator.backup(t, n)
	mustDo(t, operator.as().post(t, path+"/resume", ""))
	mustDo(t, n.seenBy(other).as().get(t, "/v1/users"))
	if w := n.as().get(t, "/v1/audit/export?format=ndjson"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "tenants.suspend") {
		t.Errorf("its trail is exported as %d %s", w.Code, w.Body)
	}

	operator.copiesOf(t, n, there)

	n.delete(t)
	refused(t, n.seenBy(other).as().get(t, "/v1/users"), http.StatusNotFound, "tenant_unknown")
	mustDo(t, operator.as().post(t, path+"/undelete", ""))
	mustDo(t, n.seenBy(other).as().get(t, "/v1/users"))
	n.delete(t)
	operator.erases(t, n, there)
}

// copiesOf restores a placed tenant as a new one and clones it, in either
// placement, and compares what they have.
func (n *tenant) copiesOf(t *testing.T, of, there *tenant) {
	t.Helper()
	source, backup := n.backup(t, of)
	before := there.rows(t)
	for _, placement := range []string{"main", second} {
		for what, body := range map[string]string{
			"restore": fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"Restored","placement":%q}`, backup, newSlug(), placement),
			"clone":   fmt.Sprintf(`{"slug":%q,"name":"Clone","placement":%q}`, newSlug(), placement),
		} {
			made := n.must(t, n.as().post(t, "/v1/tenants/"+source+"/"+what, body))
			shown := decode[tenantsapi.Tenant](t, n.as().get(t, "/v1/tenants/"+made.TenantID.String()), http.StatusOK)
			if shown.Placement != placement || shown.Status != "active" {
				t.Errorf("%s in %s: %+v", what, placement, shown)
			}
			twin := n.twin(t, of, made)
			rows := twin
			if placement == second {
				rows = twin.elsewhere(t)
			}
			after := rows.rows(t)
			for _, table := range carried {
				if !slices.Equal(before[table], after[table]) {
					t.Errorf("%s in %s: table %s was\n%s\nand is\n%s", what, placement, table, before[table], after[table])
				}
			}
		}
	}
}

// erases erases a placed tenant, of which nothing is left but the receipt.
func (n *tenant) erases(t *testing.T, gone, there *tenant) {
	t.Helper()
	rows := there.rows(t)
	if w := n.as().post(t, "/v1/tenants/"+gone.id.String()+"/erase", object("slug", gone.slug)); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	n.h.erased(t, gone)
	for _, house := range []*house{n.h, there.h} {
		left := house.leftOf(t, gone.schema) + int(house.number(t, "SELECT count(*) FROM control.copies WHERE target_id = $1 OR source_id = $1", gone.id))
		if left != 0 {
			t.Errorf("%d left of the erased tenant", left)
		}
	}
	r := decode[tenantsapi.Receipt](t, n.as().get(t, "/v1/tenants/"+gone.id.String()+"/receipt"), http.StatusOK)
	if r.Tables != int64(len(rows)) || r.Rows == 0 || r.DatabaseBytes == 0 {
		t.Errorf("the receipt says %+v of %d tables", r, len(rows))
	}
}

// TestNobodyIsMadeInAPlacementThatIsNotThere: the answer names the field.
func TestNobodyIsMadeInAPlacementThatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator, n := h.operator(t), h.tenant(t)
	source, backup := operator.backup(t, n)
	of := "/v1/tenants/" + source
	for path, body := range map[string]string{
		"/v1/tenants":    fmt.Sprintf(`{"slug":%q,"name":"New","admin_email":"a@b.example","placement":"nowhere"}`, newSlug()),
		of + "/clone":    fmt.Sprintf(`{"slug":%q,"name":"New","placement":"nowhere"}`, newSlug()),
		of + "/restore":  fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"New","placement":"nowhere"}`, backup, newSlug()),
		of + "/restore ": fmt.Sprintf(`{"backup_id":%q,"in_place":true,"placement":"second"}`, backup),
	} {
		w := operator.as().post(t, strings.TrimSpace(path), body)
		pointer, code := "#/placement", "tenants.placement_unknown"
		if strings.Contains(body, "in_place") {
			pointer, code = "#/in_place", "tenants.invalid"
		}
		refused(t, w, http.StatusUnprocessableEntity, code)
		if !strings.Contains(w.Body.String(), pointer) {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
}
