package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra"
	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	registry     = op.NewRegistry(service.Operations, []op.Def{granted, landlords, nightly, open, self, owned})
	catalogue, _ = infra.NewCatalogue(registry, infra.Product{{Name: "shop.close", Summary: "Close the shop."}})
	standings, _ = infra.NewResolver(catalogue, clock.At(noon))
	noon         = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
)

// people stands for the users module: everybody is active but those who left.
type people map[uuid.UUID]bool

func (p people) AnyActive(context.Context, uow.Tx, []uuid.UUID) (bool, error) { return true, nil }

func (p people) Active(_ context.Context, _ uow.Tx, ids []uuid.UUID) ([]uuid.UUID, error) {
	return slices.DeleteFunc(slices.Clone(ids), func(id uuid.UUID) bool { return p[id] }), nil
}

// serve makes the service for a user of the tenant, as a tenant of that kind.
func serve(t *testing.T, f pgtest.Fixture, kind tenancy.Kind) *service.Roles {
	t.Helper()
	return serveFor(t, f, kind, authn.Caller{Kind: authn.User}, people{})
}

func serveFor(t testing.TB, f pgtest.Fixture, kind tenancy.Kind, c authn.Caller, p people) *service.Roles {
	t.Helper()
	r := scope.Request{Tenant: f.Tenant, Caller: c}
	r.Tenant.Kind = kind
	run, _ := optest.Runner(t, r, f.Unit(), clock.At(noon))
	return service.NewRoles(run, r, infra.NewRepository(catalogue, clock.At(noon)), standings, p, nil, registry, clock.At(noon), id.System{})
}

// everything is all that an administrator of a customer's tenant holds.
var everything = []string{"authz.explain", "permissions.create", "permissions.delete", "permissions.list",
	"roles.create", "roles.delete", "roles.get", "roles.list", "roles.update", "shop.close", "things.change", "things.keep"}

func seed(t *testing.T, f pgtest.Fixture) {
	t.Helper()
	f.Write(t, func(tx uow.Tx) error {
		return infra.NewSeeder(clock.At(noon), id.System{}).Seed(t.Context(), tx, f.Tenant, "")
	})
}

func TestListShowsWhatRolesGrant(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	seed(t, f)
	for kind, want := range map[tenancy.Kind][]string{
		tenancy.Customer: everything,
		tenancy.Landlord: append(slices.Clone(everything), "things.rule"),
	} {
		found, err := serve(t, f, kind).List(t.Context(), page.Request{Limit: 10})
		if err != nil || len(found.Items) != len(domain.BuiltIns()) || found.Next != nil {
			t.Fatalf("got %+v, %v", found, err)
		}
		for _, r := range found.Items {
			if r.Name == roles.Admin && (!slices.Equal(r.Grants, want) || !slices.Equal(r.Entries, want)) {
				t.Errorf("at %s admin grants %v, want %v", kind, r.Grants, want)
			}
			if r.Name == roles.Auditor && slices.Contains(r.Grants, granted.Name) {
				t.Error("the auditor changes things")
			}
			if !r.BuiltIn || r.Version != 1 || !r.CreatedAt.Equal(noon) || r.Description == "" {
				t.Errorf("seeded %+v", r)
			}
		}
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	var want []string
	for i := range 7 { // two at each instant, so that the id decides too
		name := fmt.Sprintf("role %d", i)
		want = append([]string{name}, want...)
		f.Write(t, func(tx uow.Tx) error {
			_, err := pg.DB(tx).Exec(t.Context(), `INSERT INTO roles (id, name, description, built_in, permissions, custom_permissions, version, created_at, updated_at)
				VALUES ($1, $2, '', false, '{}', '{}', 1, $3, $3)`, id.System{}.New(), name, noon.Add(time.Duration(i/2)*time.Second))
			return err
		})
	}
	for limit := 1; limit <= 8; limit++ {
		var got []string
		p := page.Request{Limit: limit}
		for {
			found, err := serve(t, f, tenancy.Customer).List(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Items) > limit {
				t.Fatalf("a page of %d has %d", limit, len(found.Items))
			}
			for _, r := range found.Items {
				got = append(got, r.Name)
			}
			if found.Next == nil {
				break
			}
			p.After = found.Next
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", limit, got, want)
		}
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	seed(t, f)
	all, err := serve(t, f, tenancy.Customer).List(t.Context(), page.Request{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range all.Items {
		got, err := serve(t, f, tenancy.Customer).Get(t.Context(), want.ID)
		if err != nil || got.Name != want.Name || !slices.Equal(got.Grants, want.Grants) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	if _, err := serve(t, f, tenancy.Customer).Get(t.Context(), uuid.Must(uuid.NewV7())); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("got %v, want %v", err, domain.ErrNotFound)
	}
	other := pgtest.Tenant(t)
	if _, err := serve(t, other, tenancy.Customer).Get(t.Context(), all.Items[0].ID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("another tenant's role: got %v, want %v", err, domain.ErrNotFound)
	}
}

func TestPermissionsAreWhatRolesHereCanHold(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	for kind, want := range map[tenancy.Kind][]string{
		tenancy.Customer: everything,
		tenancy.Landlord: append(slices.Clone(everything), "things.rule"),
	} {
		defs, err := serve(t, f, kind).Permissions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range defs {
			got = append(got, d.Name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("at %s: %v, want %v", kind, got, want)
		}
	}
}

// TestWhatThisBinaryDoesNotKnowGrantsNothing: a role that another version has
// stored is shown with what is unknown here.
func TestWhatThisBinaryDoesNotKnowGrantsNothing(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	key := id.System{}.New()
	f.Write(t, func(tx uow.Tx) error {
		return infra.NewRepository(catalogue, clock.At(noon)).Insert(t.Context(), tx, domain.Role{
			ID: key, Name: "later", CreatedAt: noon,
			Permissions: []string{"roles.list", "roles.fly", "moons.*"}, CustomPermissions: []string{"shop.close", "shop.fly"},
		})
	})
	got, err := serve(t, f, tenancy.Customer).Get(t.Context(), key)
	if err != nil || !slices.Equal(got.Unknown, []string{"moons.*", "roles.fly", "shop.fly"}) ||
		!slices.Equal(got.Grants, []string{"roles.list", "shop.close"}) {
		t.Errorf("shown as %+v, %v", got, err)
	}
}
