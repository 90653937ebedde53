package fleet_test

import (
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
	"github.com/insulahq/insula/platform/tenancy"
)

// Each way in which a tenant can drift is named.
func TestVerifyNamesWhatDrifted(t *testing.T) {
	house := street(t, 1, first, second)[0]
	f := open(t, first, second)
	conn := superuser(t)
	run(t, conn, "SET search_path = "+house.Schema)
	other := street(t, 1, first, second)[0]
	for name, tc := range map[string]struct{ change, undo, says string }{
		"column":     {"ALTER TABLE rooms ADD COLUMN color text", "ALTER TABLE rooms DROP COLUMN color", "unexpected: column rooms.color"},
		"type":       {"ALTER TABLE rooms ALTER floor TYPE bigint", "ALTER TABLE rooms ALTER floor TYPE integer", "differs: column rooms.floor"},
		"index":      {"CREATE INDEX rooms_floor_idx ON rooms (floor)", "DROP INDEX rooms_floor_idx", "unexpected: index rooms_floor_idx"},
		"constraint": {"ALTER TABLE keys DROP CONSTRAINT keys_pkey", "ALTER TABLE keys ADD CONSTRAINT keys_pkey PRIMARY KEY (id)", "missing: constraint keys.keys_pkey"},
		"function":   {"CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION one()", "unexpected: function one()"},
		"right lost": {"REVOKE UPDATE ON rooms FROM " + house.Schema, "GRANT UPDATE ON rooms TO " + house.Schema,
			`differs: grant rooms to the tenant: want "DELETE, INSERT, SELECT, UPDATE", got "DELETE, INSERT, SELECT"`},
		"right won":    {"GRANT TRUNCATE ON rooms TO " + house.Schema, "REVOKE TRUNCATE ON rooms FROM " + house.Schema, "grant rooms to the tenant"},
		"public":       {"GRANT SELECT ON rooms TO PUBLIC", "REVOKE SELECT ON rooms FROM PUBLIC", "unexpected: grant rooms to public SELECT"},
		"column right": {"GRANT SELECT (name) ON rooms TO PUBLIC", "REVOKE SELECT (name) ON rooms FROM PUBLIC", "unexpected: grant rooms.name to public SELECT"},
		"neighbour":    {"GRANT SELECT ON rooms TO " + other.Schema, "REVOKE SELECT ON rooms FROM " + other.Schema, "unexpected: grant rooms to " + other.Schema + " SELECT"},
		"elsewhere":    {"GRANT SELECT ON control.tenants TO " + house.Schema, "REVOKE SELECT ON control.tenants FROM " + house.Schema, "unexpected: grant control.tenants to the tenant SELECT"},
		"schema":       {"GRANT CREATE ON SCHEMA " + house.Schema + " TO " + house.Schema, "REVOKE CREATE ON SCHEMA " + house.Schema + " FROM " + house.Schema, "differs: grant schema to the tenant"},
		"may log in":   {"ALTER ROLE " + house.Schema + " LOGIN", "ALTER ROLE " + house.Schema + " NOLOGIN", "differs: role the tenant"},
		"member":       {"GRANT " + house.Schema + " TO " + other.Schema, "REVOKE " + house.Schema + " FROM " + other.Schema, "unexpected: member " + other.Schema + " of the tenant"},
		"stamped":      {"UPDATE control.tenants SET schema_version = 20260101000000 WHERE schema_name = '" + house.Schema + "'", "UPDATE control.tenants SET schema_version = 20260102000000 WHERE schema_name = '" + house.Schema + "'", "version: the registry has 20260101000000"},
		"gone":         {"ALTER SCHEMA " + house.Schema + " RENAME TO gone", "ALTER SCHEMA gone RENAME TO " + house.Schema, "no such schema"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, conn, tc.change)
			found := findings(t, f, house)
			run(t, conn, tc.undo)
			if !strings.Contains(found, tc.says) {
				t.Errorf("it does not say %q:\n%s", tc.says, found)
			}
			if found := findings(t, f, house); found != "" {
				t.Errorf("it still says:\n%s", found)
			}
		})
	}
}

// Where one role works for all tenants, the rights are that role's.
func TestVerifyKnowsWhoseTheRightsAre(t *testing.T) {
	m := migrator(t, first, second).WithRoles(pg.OneRole)
	h := house(t, m, tenancy.Customer)
	if found := findings(t, fleet.New(pg.NewPlacements(m, nil), clock.System{}), h); found != "" {
		t.Errorf("a new tenant has drifted:\n%s", found)
	}
	run(t, superuser(t), "REVOKE UPDATE ON "+h.Schema+".rooms FROM "+pg.AppRole)
	if found := findings(t, fleet.New(pg.NewPlacements(m, nil), clock.System{}), h); !strings.Contains(found, "differs: grant rooms to insula_app") {
		t.Errorf("a lost right is not named:\n%s", found)
	}
	if found := findings(t, open(t, first, second), h); !strings.Contains(found, "missing: role the tenant") {
		t.Errorf("a missing second wall is not named:\n%s", found)
	}
}

func findings(t *testing.T, f *fleet.Fleet, h tenancy.Tenant) string {
	t.Helper()
	var lines []string
	v, err := f.Verify(t.Context(), fleet.VerifyOptions{Slugs: []string{h.Slug}, Parallel: 1, Told: func(found fleet.Finding) {
		lines = append(lines, found.Drift...)
	}})
	if err != nil || v.Checked != 1 || (v.Drifted == 1) != (len(lines) > 0) {
		t.Fatalf("verified %+v, %v", v, err)
	}
	return strings.Join(lines, "\n")
}

// Tenants at different versions, the landlord with its rights on the
// registry, and tenants of a newer binary are each judged by their own model.
func TestVerifyJudgesEachByItsOwnModel(t *testing.T) {
	street(t, 2, first)
	street(t, 1, first, second, third)
	house(t, migrator(t, first, second), tenancy.Landlord)
	v, err := open(t, first, second).Verify(t.Context(), fleet.VerifyOptions{Parallel: 2, Told: func(f fleet.Finding) {
		t.Errorf("%s: %q", f.Tenant.Slug, f.Drift)
	}})
	if err != nil || v != (fleet.Verified{Checked: 3, Newer: 1}) {
		t.Errorf("verified %+v, %v", v, err)
	}
	if n := value[int](t, superuser(t), "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'insula_declared%'"); n != 0 {
		t.Errorf("%d models are left", n)
	}
}
