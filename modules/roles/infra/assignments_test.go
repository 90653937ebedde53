package infra_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// callerOf is a user with the grants that their roles give.
func callerOf(t *testing.T, f pgtest.Fixture, user uuid.UUID) authn.Caller {
	t.Helper()
	return authn.Caller{Kind: authn.User, ID: user, Grants: grantsOf(t, f, f.Tenant, user)}
}

func rolesOf(t *testing.T, f pgtest.Fixture, user uuid.UUID) []string {
	t.Helper()
	var of map[uuid.UUID]roles.Held
	f.Read(t, func(tx uow.Tx) (err error) {
		of, err = assignments.Of(t.Context(), tx, []uuid.UUID{user})
		return err
	})
	return of[user].Names
}

func TestSet(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		by, has, set []string
		want         error
		then         []string // roles afterwards; those of has when it fails
	}{
		{"give", []string{roles.Admin}, nil, []string{roles.Member}, nil, []string{roles.Member}},
		{"give two", []string{roles.Admin}, nil, []string{roles.Member, roles.Auditor}, nil, []string{roles.Auditor, roles.Member}},
		{"the same twice", []string{roles.Admin}, nil, []string{roles.Member, roles.Member}, nil, []string{roles.Member}},
		{"replace", []string{roles.Admin}, []string{roles.Member}, []string{roles.Auditor}, nil, []string{roles.Auditor}},
		{"keep", []string{roles.Admin}, []string{roles.Member}, []string{roles.Member}, nil, []string{roles.Member}},
		{"take all", []string{roles.Admin}, []string{roles.Member}, nil, nil, []string{}},
		{"take a known part of it", []string{roles.Member}, []string{roles.Member, roles.Auditor}, []string{roles.Auditor}, nil, []string{roles.Auditor}},
		{"unknown", []string{roles.Owner}, []string{roles.Member}, []string{roles.Member, "emperor"}, domain.ErrUnknown, nil},
		{"another case is another name", []string{roles.Owner}, nil, []string{"Owner"}, domain.ErrUnknown, nil},
		{"give beyond own", []string{roles.Member}, nil, []string{roles.Auditor}, domain.ErrBeyondOwn, nil},
		{"take beyond own", []string{roles.Member}, []string{roles.Auditor}, nil, domain.ErrBeyondOwn, nil},
		{"keep beyond own", []string{roles.Member}, []string{roles.Auditor}, []string{roles.Auditor, roles.Member}, nil, []string{roles.Auditor, roles.Member}},
		{"owner makes an owner", []string{roles.Owner}, nil, []string{roles.Owner}, nil, []string{roles.Owner}},
		{"owner unmakes an owner", []string{roles.Owner}, []string{roles.Owner}, []string{roles.Admin}, nil, []string{roles.Admin}},
		{"admin makes no owner", []string{roles.Admin}, nil, []string{roles.Owner}, domain.ErrBeyondOwn, nil},
		{"admin unmakes no owner", []string{roles.Admin}, []string{roles.Owner}, []string{roles.Member}, domain.ErrBeyondOwn, nil},
		{"nobody in particular", nil, nil, []string{roles.Member}, domain.ErrBeyondOwn, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := tenant(t)
			userWith(t, f, roles.Owner) // somebody always owns the tenant
			by, user := userWith(t, f, tc.by...), userWith(t, f, tc.has...)
			caller := callerOf(t, f, by)
			err := f.Unit().Write(t.Context(), func(tx uow.Tx) error {
				return assignments.Set(t.Context(), tx, caller, user, tc.set, nil)
			})
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			then := tc.then
			if tc.want != nil {
				then = append([]string{}, tc.has...)
			}
			if got := rolesOf(t, f, user); !slices.Equal(got, then) {
				t.Errorf("has %v, want %v", got, then)
			}
		})
	}
}

func TestAWrongRoleNamesTheField(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	err := f.Unit().Write(t.Context(), func(tx uow.Tx) error {
		return assignments.Found(t.Context(), tx, id.System{}.New(), []string{"emperor"})
	})
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.Invalid || len(e.Fields) != 1 || e.Fields[0].Pointer != "#/roles" {
		t.Errorf("got %#v, want an invalid #/roles", err)
	}
}

func TestTheLastOwnerStays(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(f pgtest.Fixture, tx uow.Tx, owner uuid.UUID) error{
		"by roles": func(f pgtest.Fixture, tx uow.Tx, owner uuid.UUID) error {
			return assignments.Set(t.Context(), tx, callerOf(t, f, owner), owner, []string{roles.Member}, nil)
		},
		"by removal": func(_ pgtest.Fixture, tx uow.Tx, owner uuid.UUID) error {
			return assignments.Release(t.Context(), tx, owner)
		},
		"by suspension": func(_ pgtest.Fixture, tx uow.Tx, owner uuid.UUID) error {
			return assignments.Suspendable(t.Context(), tx, owner)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := tenant(t)
			owner := userWith(t, f, roles.Owner)
			userWith(t, f, roles.Admin)
			err := f.Unit().Write(t.Context(), func(tx uow.Tx) error { return leave(f, tx, owner) })
			if !errors.Is(err, domain.ErrLastOwner) {
				t.Fatalf("got %v, want %v", err, domain.ErrLastOwner)
			}
			if got := rolesOf(t, f, owner); !slices.Equal(got, []string{roles.Owner}) {
				t.Errorf("has %v", got)
			}
			userWith(t, f, roles.Owner) // a second one sets the first free
			f.Write(t, func(tx uow.Tx) error { return leave(f, tx, owner) })
		})
	}
}

func TestOthersComeAndGo(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	userWith(t, f, roles.Owner)
	member := userWith(t, f, roles.Member, roles.Auditor)
	f.Write(t, func(tx uow.Tx) error { return assignments.Suspendable(t.Context(), tx, member) })
	f.Write(t, func(tx uow.Tx) error { return assignments.Release(t.Context(), tx, member) })
	if got := rolesOf(t, f, member); len(got) != 0 || got == nil {
		t.Errorf("has %v, want an empty list", got)
	}
	f.Write(t, func(tx uow.Tx) error { return assignments.Release(t.Context(), tx, member) }) // nothing left to take
}

// An owner who cannot sign in is none that could take over.
func TestASuspendedOwnerIsNoOtherOwner(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	stays, leaves := uuid.New(), uuid.New()
	f.Write(t, func(tx uow.Tx) error {
		return errors.Join(assignments.Found(t.Context(), tx, stays, []string{roles.Owner}),
			assignments.Found(t.Context(), tx, leaves, []string{roles.Owner}))
	})
	suspend := func() error {
		return f.Unit().Write(t.Context(), func(tx uow.Tx) error { return assignments.Suspendable(t.Context(), tx, stays) })
	}
	if err := suspend(); err != nil {
		t.Fatalf("beside an active owner: %v", err)
	}
	standing.Store(leaves, true)
	if err := suspend(); !errors.Is(err, domain.ErrLastOwner) {
		t.Fatalf("beside a suspended owner: %v", err)
	}
}

func TestMayManage(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	addRole(t, f, "writer", "files.create")
	users := map[string]uuid.UUID{}
	for _, name := range []string{roles.Owner, roles.Admin, roles.Member, roles.Auditor, "writer"} {
		users[name] = uuid.New()
		f.Write(t, func(tx uow.Tx) error { return assignments.Found(t.Context(), tx, users[name], []string{name}) })
	}
	for _, tc := range []struct {
		by, on string
		want   error
	}{
		{roles.Owner, roles.Owner, nil}, {roles.Owner, roles.Admin, nil}, {roles.Owner, roles.Member, nil},
		{roles.Admin, roles.Owner, domain.ErrAboveYou}, {roles.Admin, roles.Admin, nil}, {roles.Admin, roles.Auditor, nil},
		{"writer", roles.Admin, domain.ErrAboveYou}, {"writer", roles.Member, domain.ErrAboveYou}, {"writer", "writer", nil},
		{roles.Auditor, "writer", domain.ErrAboveYou},
	} {
		err := f.Unit().Read(t.Context(), func(tx uow.Tx) error {
			return assignments.MayManage(t.Context(), tx, callerOf(t, f, users[tc.by]), users[tc.on])
		})
		if !errors.Is(err, tc.want) {
			t.Errorf("%s on %s: got %v, want %v", tc.by, tc.on, err, tc.want)
		}
	}
}
