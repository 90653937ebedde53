package infra_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// lifetimes are longer than any test.
var lifetimes = users.Lifetimes{Session: 1000 * time.Hour, Idle: 1000 * time.Hour}

// policy gives every tenant these lifetimes.
type policy struct{}

func (policy) Of(tenancy.Tenant) users.Policy { return users.Policy{Lifetimes: lifetimes} }

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// registered makes a user that is not stored yet.
func registered(t testing.TB, email string) domain.User {
	t.Helper()
	u, err := domain.Register(newID(), email, "Ada Lovelace", noon)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// try runs fn in a writing unit of work and returns its error.
func try(t testing.TB, f pgtest.Fixture, fn func(tx uow.Tx) error) error {
	t.Helper()
	return f.Unit().Write(t.Context(), fn)
}

// warm opens n connections at once, so that what a test does in parallel
// afterwards does not wait for one connection to be made after the other.
func warm(t *testing.T, db pgtest.DB, n int) {
	t.Helper()
	var all, done sync.WaitGroup
	all.Add(n)
	for range n {
		done.Go(func() {
			err := db.Pool.Control().Write(t.Context(), func(tx uow.Tx) error {
				_, err := pg.DB(tx).Exec(t.Context(), "SELECT 1")
				all.Done()
				all.Wait()
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
}

// unset are the settings of tenants that never set any.
type unset struct{}

func (unset) Learn(context.Context, uow.Tx, tenancy.Tenant, int64) error { return nil }
