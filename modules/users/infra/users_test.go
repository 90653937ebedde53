package infra_test

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

func TestAUserComesBackAsStored(t *testing.T) {
	t.Parallel()
	f, repo := pgtest.Tenant(t), infra.NewUsers()
	u := registered(t, "Ada@Example.com")
	f.Write(t, func(tx uow.Tx) error { return repo.Insert(t.Context(), tx, u) })

	changed := u
	changed.Status, changed.PasswordHash, changed.AccessVersion = domain.Active, secret.New("hash"), 7
	changed.UpdatedAt = noon.Add(time.Hour)
	f.Write(t, func(tx uow.Tx) error {
		saved, err := repo.Save(t.Context(), tx, changed)
		if saved.Version != 2 {
			t.Errorf("saved at version %d", saved.Version)
		}
		return err
	})
	changed.Version = 2
	address, err := domain.ParseEmail("aDA@example.COM")
	if err != nil {
		t.Fatal(err)
	}
	f.Read(t, func(tx uow.Tx) error {
		got, err := repo.FindByEmail(t.Context(), tx, address)
		if !sameUser(got, changed) {
			t.Errorf("got %+v\nwant %+v", got, changed)
		}
		return err
	})
}

// sameUser compares also the secret, which has a pointer inside.
func sameUser(a, b domain.User) bool {
	same := a.PasswordHash.Equal(b.PasswordHash)
	a.PasswordHash, b.PasswordHash = secret.Value{}, secret.Value{}
	return same && reflect.DeepEqual(a, b)
}

func TestErrorsOfTheRepository(t *testing.T) {
	t.Parallel()
	f, repo, ctx := pgtest.Tenant(t), infra.NewUsers(), t.Context()
	ada, bob, ghost := registered(t, "ada@example.com"), registered(t, "bob@example.com"), registered(t, "ghost@example.com")
	f.Write(t, func(tx uow.Tx) error {
		return errors.Join(repo.Insert(ctx, tx, ada), repo.Insert(ctx, tx, bob))
	})
	stale := ada
	stale.Version = 9
	renamed := bob
	renamed.Email = domain.KnownEmail("ADA@example.com")
	save := func(u domain.User) func(uow.Tx) error {
		return func(tx uow.Tx) error { _, err := repo.Save(ctx, tx, u); return err }
	}
	for _, tc := range []struct {
		name string
		do   func(tx uow.Tx) error
		want error
	}{
		{"find nobody", func(tx uow.Tx) error { _, err := repo.Find(ctx, tx, ghost.ID); return err }, domain.ErrNotFound},
		{"find nobody by address", func(tx uow.Tx) error { _, err := repo.FindByEmail(ctx, tx, ghost.Email); return err }, domain.ErrNotFound},
		{"lock nobody", func(tx uow.Tx) error { _, err := repo.Lock(ctx, tx, ghost.ID); return err }, domain.ErrNotFound},
		{"address taken on insert", func(tx uow.Tx) error { return repo.Insert(ctx, tx, registered(t, "ADA@example.com")) }, domain.ErrEmailTaken},
		{"address taken on save", save(renamed), domain.ErrEmailTaken},
		{"save nobody", save(ghost), domain.ErrNotFound},
		{"save a stale user", save(stale), errs.ErrPreconditionFailed},
		{"delete nobody", func(tx uow.Tx) error { return repo.Delete(ctx, tx, ghost) }, domain.ErrNotFound},
		{"delete a stale user", func(tx uow.Tx) error { return repo.Delete(ctx, tx, stale) }, errs.ErrPreconditionFailed},
		{"delete", func(tx uow.Tx) error { return repo.Delete(ctx, tx, bob) }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := try(t, f, tc.do); !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// TestListAgreesWithAPredicate pages through random users with random
// filters and compares with the same list made in Go.
func TestListAgreesWithAPredicate(t *testing.T) {
	t.Parallel()
	f, repo, ctx := pgtest.Tenant(t), infra.NewUsers(), t.Context()
	statuses := []domain.Status{domain.Invited, domain.Active, domain.Suspended}
	prefixes := []string{"a", "ab", "a%", "a_", "b", "B."}
	names := []string{"ada", "Ada", "bob", "Bea"}
	var all []domain.User
	add := func(rt *rapid.T, n int) {
		for range n {
			u := registered(t, fmt.Sprintf("%s%d@example.com", rapid.SampledFrom(prefixes).Draw(rt, "address"), len(all)))
			u.Status = rapid.SampledFrom(statuses).Draw(rt, "status")
			u.Name = rapid.SampledFrom(names).Draw(rt, "name")
			// few instants, so that many users share one and the id decides
			u.CreatedAt = noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(rt, "instant")) * time.Microsecond)
			if err := try(t, f, func(tx uow.Tx) error { return repo.Insert(ctx, tx, u) }); err != nil {
				rt.Fatal(err)
			}
			all = append(all, u)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		if len(all) < 60 {
			add(rt, rapid.IntRange(0, 5).Draw(rt, "new users"))
		}
		spec := domain.Spec{
			Status:      rapid.SampledFrom(append(statuses, "")).Draw(rt, "status"),
			EmailPrefix: strings.ToLower(rapid.SampledFrom(append(prefixes, "", "%", "zz")).Draw(rt, "prefix")),
			Order:       rapid.SampledFrom([]domain.Order{"", domain.Newest, domain.ByEmail, domain.ByName}).Draw(rt, "order"),
		}
		if rapid.Bool().Draw(rt, "since") {
			spec.CreatedFrom = noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(rt, "from")) * time.Microsecond)
		}
		if rapid.Bool().Draw(rt, "until") {
			spec.CreatedBefore = noon.Add(time.Duration(rapid.IntRange(0, 6).Draw(rt, "before")) * time.Microsecond)
		}
		if rapid.Bool().Draw(rt, "among some") {
			spec.Among = []uuid.UUID{}
			for _, u := range all {
				if rapid.Bool().Draw(rt, "among") {
					spec.Among = append(spec.Among, u.ID)
				}
			}
		}
		want := expected(all, spec)
		got := pages(rt, f, repo, spec, rapid.IntRange(1, 10).Draw(rt, "limit"))
		if !slices.EqualFunc(got, want, sameUser) {
			rt.Fatalf("%+v: got %d users, want %d:\n%v\n%v", spec, len(got), len(want), got, want)
		}
	})
	if len(all) < 20 {
		t.Fatalf("only %d users were tried", len(all))
	}
}

func expected(all []domain.User, spec domain.Spec) []domain.User {
	var want []domain.User
	for _, u := range all {
		if (spec.Status == "" || u.Status == spec.Status) && strings.HasPrefix(u.Email.Key(), spec.EmailPrefix) &&
			!u.CreatedAt.Before(spec.CreatedFrom) && (spec.CreatedBefore.IsZero() || u.CreatedAt.Before(spec.CreatedBefore)) &&
			(spec.Among == nil || slices.Contains(spec.Among, u.ID)) {
			want = append(want, u)
		}
	}
	slices.SortFunc(want, func(a, b domain.User) int {
		switch spec.Order {
		case domain.ByEmail:
			return strings.Compare(a.Email.Key(), b.Email.Key())
		case domain.ByName:
			return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID.String(), b.ID.String()))
		}
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID.String(), a.ID.String())
	})
	return want
}

func pages(rt *rapid.T, f pgtest.Fixture, repo *infra.Users, spec domain.Spec, limit int) []domain.User {
	var got []domain.User
	r := page.Request{Limit: limit}
	for {
		var p page.Page[domain.User]
		err := f.Unit().Read(rt.Context(), func(tx uow.Tx) (err error) {
			p, err = repo.List(rt.Context(), tx, spec, r)
			return err
		})
		if err != nil || len(p.Items) > limit {
			rt.Fatalf("%d users on a page of %d: %v", len(p.Items), limit, err)
		}
		got = append(got, p.Items...)
		if p.Next == nil {
			return got
		}
		r.After = p.Next
	}
}
