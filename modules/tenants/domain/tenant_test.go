package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/tenancy"
)

var (
	now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	one = uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d")
)

func TestRegister(t *testing.T) {
	for _, tc := range []struct {
		name, slug, title, email string
		kind                     tenancy.Kind
		wrong                    []string
	}{
		{"good", "acme", "Acme Ltd.", "ada@acme.example", tenancy.Customer, nil},
		{"landlord", "operator", "Insula", "ops@example.com", tenancy.Landlord, nil},
		{"digits and hyphens", "a1-b2", "A", "a@b", tenancy.Customer, nil},
		{"name in any language", "acme", "Ακμή 株式会社", "a@b.c", tenancy.Customer, nil},
		{"upper case", "Acme", "A", "a@b.c", tenancy.Customer, []string{"#/slug"}},
		{"begins with a digit", "1acme", "A", "a@b.c", tenancy.Customer, []string{"#/slug"}},
		{"ends with a hyphen", "acme-", "A", "a@b.c", tenancy.Customer, []string{"#/slug"}},
		{"two hyphens", "xn--acme", "A", "a@b.c", tenancy.Customer, []string{"#/slug"}},
		{"too short", "ab", "A", "a@b.c", tenancy.Customer, []string{"#/slug"}},
		{"too long", strings.Repeat("a", 41), "A", "a@b.c", tenancy.Customer, []string{"#/slug"}},
		{"reserved", "www", "A", "a@b.c", tenancy.Customer, []string{"#/slug"}},
		{"SQL", `a"; drop`, "A", "a@b.c", tenancy.Customer, []string{"#/slug"}},
		{"no name", "acme", "  ", "a@b.c", tenancy.Customer, []string{"#/name"}},
		{"line break in the name", "acme", "A\nB", "a@b.c", tenancy.Customer, []string{"#/name"}},
		{"no address", "acme", "A", "nobody", tenancy.Customer, []string{"#/admin_email"}},
		{"address with a name", "acme", "A", "Ada <a@b.c>", tenancy.Customer, []string{"#/admin_email"}},
		{"no kind", "acme", "A", "a@b.c", "", []string{"#/kind"}},
		{"everything", "", "", "", "x", []string{"#/slug", "#/name", "#/admin_email", "#/kind"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := domain.Register(one, tc.slug, tc.title, tc.kind, tc.email, now)
			if tc.wrong == nil {
				if err != nil {
					t.Fatal(err)
				}
				if got.Status != tenancy.Provisioning || got.Version != 1 || got.Schema != "t_0199d3a07c1e7b549c3e2f6d1a0b4c5d" {
					t.Errorf("got %+v", got)
				}
				return
			}
			e, ok := errs.As(err)
			if !ok || !errors.Is(err, domain.ErrInvalid) {
				t.Fatalf("got %v, want ErrInvalid", err)
			}
			var named []string
			for _, f := range e.Fields {
				named = append(named, f.Pointer)
			}
			if strings.Join(named, " ") != strings.Join(tc.wrong, " ") {
				t.Errorf("names %v, want %v", named, tc.wrong)
			}
		})
	}
}

func TestLife(t *testing.T) {
	tenant := func(kind tenancy.Kind, s tenancy.Status) domain.Tenant {
		return domain.Tenant{Tenant: tenancy.Tenant{Kind: kind, Status: s}}
	}
	for _, tc := range []struct {
		name string
		from domain.Tenant
		rule func(domain.Tenant, time.Time) (domain.Tenant, error)
		want tenancy.Status
		err  error
	}{
		{"suspend", tenant(tenancy.Customer, tenancy.Active), domain.Tenant.Suspend, tenancy.Suspended, nil},
		{"suspend twice", tenant(tenancy.Customer, tenancy.Suspended), domain.Tenant.Suspend, tenancy.Suspended, domain.ErrStatus},
		{"suspend the landlord", tenant(tenancy.Landlord, tenancy.Active), domain.Tenant.Suspend, tenancy.Active, domain.ErrLandlord},
		{"suspend half a tenant", tenant(tenancy.Customer, tenancy.Provisioning), domain.Tenant.Suspend, tenancy.Provisioning, domain.ErrStatus},
		{"resume", tenant(tenancy.Customer, tenancy.Suspended), domain.Tenant.Resume, tenancy.Active, nil},
		{"resume what runs", tenant(tenancy.Customer, tenancy.Active), domain.Tenant.Resume, tenancy.Active, domain.ErrStatus},
		{"resume what is going", tenant(tenancy.Customer, tenancy.Deleting), domain.Tenant.Resume, tenancy.Deleting, domain.ErrStatus},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.rule(tc.from, now)
			if !errors.Is(err, tc.err) || got.Status != tc.want {
				t.Errorf("got %s, %v; want %s, %v", got.Status, err, tc.want, tc.err)
			}
			if err == nil && !got.UpdatedAt.Equal(now) {
				t.Error("the time of the change is not kept")
			}
		})
	}
}
