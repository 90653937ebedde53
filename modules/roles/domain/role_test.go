package domain_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/errs"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func TestMake(t *testing.T) {
	p := catalogue(t).Compile(1, false, []domain.Role{builtIn(roles.Member), custom("reader", "files.list")}, []domain.Custom{{Name: "billing.refund"}})
	for _, tc := range []struct {
		name  string
		draft domain.Draft
		wrong string // pointers
	}{
		{"everything", domain.Draft{Name: "support-lead", Entries: []string{"users.*", "files.list", "billing.refund", "billing.*"}, Parents: []string{"reader", roles.Member, "reader"}}, ""},
		{"nothing", domain.Draft{Name: "x"}, ""},
		{"names", domain.Draft{Name: "Support Lead"}, "#/name"},
		{"long name", domain.Draft{Name: strings.Repeat("a", 61)}, "#/name"},
		{"unknown", domain.Draft{Name: "x", Entries: []string{"users.list", "users.fly", "*"}}, "#/permissions/1 #/permissions/2"},
		{"a landlord's", domain.Draft{Name: "x", Entries: []string{"tenants.create", "tenants.*"}}, "#/permissions/0 #/permissions/1"},
		{"parents", domain.Draft{Name: "x", Parents: []string{"reader", "x"}}, "#/parents/1"},
		{"description", domain.Draft{Name: "x", Description: strings.Repeat("ä", 501)}, "#/description"},
		{"all at once", domain.Draft{Name: "", Entries: []string{"a"}, Parents: []string{"b"}}, "#/name #/permissions/0 #/parents/0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := p.Make(id("new"), tc.draft, noon)
			if tc.wrong == "" {
				if err != nil || r.Version != 1 || r.Permissions == nil || r.CustomPermissions == nil {
					t.Fatalf("%+v, %v", r, err)
				}
				return
			}
			var at []string
			if e, ok := errs.As(err); ok {
				for _, f := range e.Fields {
					at = append(at, f.Pointer)
				}
			}
			if got := strings.Join(at, " "); got != tc.wrong {
				t.Errorf("wrong at %q, want %q: %v", got, tc.wrong, err)
			}
		})
	}
	r, _ := p.Make(id("new"), domain.Draft{Name: "x", Entries: []string{"users.*", "billing.refund", "users.*"}}, noon)
	if !slices.Equal(r.Permissions, []string{"users.*"}) || !slices.Equal(r.CustomPermissions, []string{"billing.refund"}) {
		t.Errorf("sorted into %v and %v", r.Permissions, r.CustomPermissions)
	}
}

func TestEdit(t *testing.T) {
	old := custom("old", "files.list", "files.gone")
	old.CustomPermissions = []string{"shop.gone"}
	p := catalogue(t).Compile(1, false, []domain.Role{old, builtIn(roles.Admin)}, nil)
	if _, err := p.Edit(builtIn(roles.Admin), domain.Change{}, noon); !errors.Is(err, domain.ErrBuiltIn) {
		t.Errorf("a built-in role: %v", err)
	}
	kept := []string{"files.gone", "shop.gone", "users.list"}
	r, err := p.Edit(old, domain.Change{Entries: &kept}, noon)
	if err != nil || !slices.Equal(r.Permissions, []string{"files.gone", "users.list"}) || !slices.Equal(r.CustomPermissions, []string{"shop.gone"}) {
		t.Errorf("what nothing knows any more was not kept: %+v, %v", r, err)
	}
	if got := p.Unknown(r); !slices.Equal(got, []string{"files.gone", "shop.gone"}) {
		t.Errorf("unknown are %v", got)
	}
	if r, err := p.Edit(old, domain.Change{}, noon); err != nil || !slices.Equal(r.Permissions, old.Permissions) || !r.UpdatedAt.Equal(noon) {
		t.Errorf("an empty change: %+v, %v", r, err)
	}
	if err := old.At(7); !errors.Is(err, errs.ErrPreconditionFailed) {
		t.Errorf("another version: %v", err)
	}
}

func TestLimits(t *testing.T) {
	var many []domain.Role
	for i := range domain.MaxRoles {
		many = append(many, custom(fmt.Sprintf("r%d", i)))
	}
	p := catalogue(t).Compile(1, false, many, nil)
	if _, err := p.Make(id("x"), domain.Draft{Name: "x"}, noon); !errors.Is(err, domain.ErrTooMany) {
		t.Errorf("one role too many: %v", err)
	}
	var own []domain.Custom
	for i := range domain.MaxCustom {
		own = append(own, domain.Custom{Name: fmt.Sprintf("shop.p%d", i)})
	}
	if _, err := catalogue(t).Compile(1, false, nil, own).Register(domain.Custom{Name: "shop.more", Summary: "More."}, noon); !errors.Is(err, domain.ErrTooManyPermissions) {
		t.Errorf("one permission too many: %v", err)
	}
}

func TestRegisterAndWithdraw(t *testing.T) {
	user := custom("user")
	user.CustomPermissions = []string{"shop.open"}
	p := catalogue(t, domain.Custom{Name: "shop.close", Summary: "Close."}).Compile(1, false, []domain.Role{user}, []domain.Custom{{Name: "shop.open"}, {Name: "shop.sell"}})
	for name, want := range map[string]error{
		"billing.refund": nil, "shopping.list": nil, "shop.clean": domain.ErrInvalid, "shop.close": domain.ErrPermissionTaken, "shop.open": domain.ErrPermissionTaken,
		"users.fly": domain.ErrInvalid, "me.get": domain.ErrInvalid, "tenants.create": domain.ErrInvalid, "shop": domain.ErrInvalid, "shop.*": domain.ErrInvalid,
		"settings.change": domain.ErrInvalid, "webhooks.send": domain.ErrInvalid, // which a later version may bring
	} {
		if _, err := p.Register(domain.Custom{Name: name, Summary: "Do it."}, noon); !errors.Is(err, want) {
			t.Errorf("register %s: %v, want %v", name, err, want)
		}
	}
	for name, want := range map[string]error{
		"shop.sell": nil, "shop.open": domain.ErrPermissionInUse, "shop.close": domain.ErrPermissionNotFound, "users.list": domain.ErrPermissionNotFound,
	} {
		if _, err := p.Withdraw(name); !errors.Is(err, want) {
			t.Errorf("withdraw %s: %v, want %v", name, err, want)
		}
	}
}

func TestChangeOf(t *testing.T) {
	later, past := noon.Add(time.Hour), noon.Add(-time.Hour)
	good := func(name string) domain.Holding { return domain.Holding{Role: id(name)} }
	ends := func(name string, at time.Time) domain.Holding { return domain.Holding{Role: id(name), Until: at} }
	p := catalogue(t).Compile(1, false, []domain.Role{builtIn(roles.Owner), custom("a"), custom("b")}, nil)
	for _, tc := range []struct {
		name                    string
		has, wanted             []domain.Holding
		added, removed, touched int
		loses                   bool
	}{
		{"the same", []domain.Holding{good("a"), ends("b", later)}, []domain.Holding{good("a"), ends("b", later)}, 0, 0, 0, false},
		{"another end", []domain.Holding{good("a")}, []domain.Holding{ends("a", later)}, 1, 0, 1, false},
		{"given and taken", []domain.Holding{good("a")}, []domain.Holding{good("b")}, 1, 1, 2, false},
		{"what has ended is swept", []domain.Holding{ends("a", past)}, nil, 0, 1, 0, false},
		{"what has ended is given again", []domain.Holding{ends("a", past)}, []domain.Holding{good("a")}, 1, 0, 1, false},
		{"owner goes", []domain.Holding{good(roles.Owner)}, []domain.Holding{good("a")}, 1, 1, 2, true},
		{"owner for a while", []domain.Holding{good(roles.Owner)}, []domain.Holding{ends(roles.Owner, later)}, 1, 0, 1, true},
		{"owner for good at last", []domain.Holding{ends(roles.Owner, later)}, []domain.Holding{good(roles.Owner)}, 1, 0, 1, false},
		{"an owner for a while goes", []domain.Holding{ends(roles.Owner, later)}, nil, 0, 1, 1, false},
	} {
		c := domain.ChangeOf(tc.has, tc.wanted, noon)
		if len(c.Added) != tc.added || len(c.Removed) != tc.removed || len(c.Touched) != tc.touched || p.LosesOwner(c) != tc.loses {
			t.Errorf("%s: %+v, loses an owner: %v", tc.name, c, p.LosesOwner(c))
		}
	}
}
