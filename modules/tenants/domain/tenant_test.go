package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/errs"
)

var (
	now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	one = uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d")
)

func TestRegister(t *testing.T) {
	for _, tc := range []struct {
		name, slug, title, email string
		kind                     tenants.Kind
		wrong                    []string
	}{
		{"good", "acme", "Acme Ltd.", "ada@acme.example", tenants.Customer, nil},
		{"landlord", "operator", "Insula", "ops@example.com", tenants.Landlord, nil},
		{"digits and hyphens", "a1-b2", "A", "a@b", tenants.Customer, nil},
		{"name in any language", "acme", "Ακμή 株式会社", "a@b.c", tenants.Customer, nil},
		{"upper case", "Acme", "A", "a@b.c", tenants.Customer, []string{"#/slug"}},
		{"begins with a digit", "1acme", "A", "a@b.c", tenants.Customer, []string{"#/slug"}},
		{"ends with a hyphen", "acme-", "A", "a@b.c", tenants.Customer, []string{"#/slug"}},
		{"two hyphens", "xn--acme", "A", "a@b.c", tenants.Customer, []string{"#/slug"}},
		{"too short", "ab", "A", "a@b.c", tenants.Customer, []string{"#/slug"}},
		{"too long", strings.Repeat("a", 41), "A", "a@b.c", tenants.Customer, []string{"#/slug"}},
		{"reserved", "www", "A", "a@b.c", tenants.Customer, []string{"#/slug"}},
		{"SQL", `a"; drop`, "A", "a@b.c", tenants.Customer, []string{"#/slug"}},
		{"no name", "acme", "  ", "a@b.c", tenants.Customer, []string{"#/name"}},
		{"line break in the name", "acme", "A\nB", "a@b.c", tenants.Customer, []string{"#/name"}},
		{"no address", "acme", "A", "nobody", tenants.Customer, []string{"#/admin_email"}},
		{"address with a name", "acme", "A", "Ada <a@b.c>", tenants.Customer, []string{"#/admin_email"}},
		{"no kind", "acme", "A", "a@b.c", "", []string{"#/kind"}},
		{"everything", "", "", "", "x", []string{"#/slug", "#/name", "#/admin_email", "#/kind"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := domain.Register(one, tc.slug, tc.title, tc.kind, tc.email, now)
			if tc.wrong == nil {
				if err != nil {
					t.Fatal(err)
				}
				if got.Status != tenants.Unfinished || got.Version != 1 || got.Schema != "t_0199d3a07c1e7b549c3e2f6d1a0b4c5d" {
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
	tenant := func(kind tenants.Kind, s tenants.Status) domain.Tenant {
		return domain.Tenant{Tenant: tenants.Tenant{Kind: kind, Status: s}}
	}
	for _, tc := range []struct {
		name string
		from domain.Tenant
		rule func(domain.Tenant, time.Time) (domain.Tenant, error)
		want tenants.Status
		err  error
	}{
		{"suspend", tenant(tenants.Customer, tenants.Active), domain.Tenant.Suspend, tenants.Suspended, nil},
		{"suspend twice", tenant(tenants.Customer, tenants.Suspended), domain.Tenant.Suspend, tenants.Suspended, domain.ErrStatus},
		{"suspend the landlord", tenant(tenants.Landlord, tenants.Active), domain.Tenant.Suspend, tenants.Active, domain.ErrLandlord},
		{"suspend half a tenant", tenant(tenants.Customer, tenants.Unfinished), domain.Tenant.Suspend, tenants.Unfinished, domain.ErrStatus},
		{"resume", tenant(tenants.Customer, tenants.Suspended), domain.Tenant.Resume, tenants.Active, nil},
		{"resume what runs", tenant(tenants.Customer, tenants.Active), domain.Tenant.Resume, tenants.Active, domain.ErrStatus},
		{"resume what is going", tenant(tenants.Customer, tenants.Deleting), domain.Tenant.Resume, tenants.Deleting, domain.ErrStatus},
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
