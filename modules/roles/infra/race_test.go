package infra_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// together runs each function in a unit of work of its own, all at once, and
// returns their errors. A unit that the database had to repeat fails the
// test: the locks are ordered so that nobody needs to.
func together(t *testing.T, f pgtest.Fixture, fns []func(ctx context.Context, tx uow.Tx) error) []error {
	t.Helper()
	var wg sync.WaitGroup
	out := make([]error, len(fns))
	start := make(chan struct{})
	for i, fn := range fns {
		wg.Go(func() {
			var runs atomic.Int32
			<-start
			out[i] = f.Unit().Write(t.Context(), func(tx uow.Tx) error {
				if runs.Add(1) > 1 {
					t.Error("the database had to repeat a change of roles")
				}
				return fn(t.Context(), tx)
			})
		})
	}
	close(start)
	wg.Wait()
	return out
}

func TestOwnersLeavingTogetherLeaveOne(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	for range 30 {
		var owners []uuid.UUID
		var leaving []func(context.Context, uow.Tx) error
		for i := range 3 {
			user := userWith(t, f, roles.Owner, roles.Member)
			owners = append(owners, user)
			by := callerOf(t, f, user)
			leaving = append(leaving, func(ctx context.Context, tx uow.Tx) error {
				if i == 0 {
					return assignments.Release(ctx, tx, user)
				}
				return assignments.Set(ctx, tx, by, user, []string{roles.Auditor}, nil)
			})
		}
		stayed := uuid.Nil
		for i, err := range together(t, f, leaving) {
			switch {
			case errors.Is(err, domain.ErrLastOwner) && stayed == uuid.Nil:
				stayed = owners[i]
			case err != nil:
				t.Fatalf("owner %d: %v", i, err)
			}
		}
		if stayed == uuid.Nil {
			t.Fatal("all owners have left")
		}
		clearRoles(t, f, stayed)
	}
}

// clearRoles takes the last owner's roles, so that the next round starts
// without one.
func clearRoles(t *testing.T, f pgtest.Fixture, user uuid.UUID) {
	t.Helper()
	helper := userWith(t, f, roles.Owner)
	f.Write(t, func(tx uow.Tx) error { return assignments.Release(t.Context(), tx, user) })
	dropAssignments(t, f, helper)
}

func TestChangesOfOneUserDoNotDeadlock(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	by := callerOf(t, f, userWith(t, f, roles.Owner))
	users := []uuid.UUID{id.System{}.New(), id.System{}.New()}
	sets := [][]string{
		{roles.Owner, roles.Member}, {roles.Member, roles.Auditor}, {roles.Auditor, roles.Admin, roles.Owner},
		{roles.Admin}, {}, {roles.Member, roles.Owner, roles.Admin, roles.Auditor},
	}
	for range 20 {
		var changes []func(context.Context, uow.Tx) error
		for i, names := range sets {
			user := users[i%len(users)]
			changes = append(changes, func(ctx context.Context, tx uow.Tx) error {
				return assignments.Set(ctx, tx, by, user, names, nil)
			})
		}
		for _, err := range together(t, f, changes) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
