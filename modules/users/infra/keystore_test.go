package infra_test

import (
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

func rootKey(t *testing.T) secret.Key {
	t.Helper()
	k, err := secret.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKeyStore is one test because all tests of the package share the control
// schema.
func TestKeyStore(t *testing.T) {
	db, root, now := pgtest.Database(t), rootKey(t), clock.At(noon)
	dropKeys(t, db)
	load := func(root secret.Key) (*jwtx.KeySet, error) {
		return infra.NewKeyStore(db.Pool.Control, root, now, rand.Reader).LoadKeys(t.Context())
	}

	const processes = 8
	ids := make([]string, processes)
	warm(t, db, processes)
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range processes {
		group.Go(func() {
			<-start
			keys, err := load(root)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = keys.Active().ID()
		})
	}
	close(start)
	group.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("processes that started at once sign with %v", ids)
		}
	}
	if n := countKeys(t, db); n != 1 {
		t.Fatalf("%d keys were made", n)
	}

	if _, err := load(rootKey(t)); !errors.Is(err, jwtx.ErrKey) {
		t.Errorf("another root key: %v", err)
	}

	now.Advance(365 * 24 * time.Hour)
	keys, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	if keys.Active().ID() == ids[0] {
		t.Error("an expired key signs")
	}
	if _, ok := keys.Find(ids[0], now.Now()); ok {
		t.Error("an expired key verifies")
	}
	now.Set(noon)
	if _, ok := keys.Find(ids[0], now.Now()); !ok {
		t.Error("the older key does not verify in its time")
	}
}

func dropKeys(t *testing.T, db pgtest.DB) {
	t.Helper()
	err := db.Pool.Control().Write(t.Context(), func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), "DELETE FROM control.signing_keys")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func countKeys(t *testing.T, db pgtest.DB) (n int) {
	t.Helper()
	err := db.Pool.Control().Read(t.Context(), func(tx uow.Tx) error {
		return pg.DB(tx).QueryRow(t.Context(), "SELECT count(*) FROM control.signing_keys").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
