package infra_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
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
		r, err := ring(t, db, root, now, 0)
		if err != nil {
			return nil, err
		}
		return r.Keys(), nil
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
	testRotation(t, db)
}

// ring opens the keys of one process.
func ring(t *testing.T, db pgtest.DB, root secret.Key, c clock.Clock, every time.Duration) (*infra.KeyRing, error) {
	t.Helper()
	store := infra.NewKeyStore(db.Pool.Control, root, c, rand.Reader)
	tell := func(_ context.Context, _ string, err error) error { return err }
	return infra.OpenKeyRing(t.Context(), store, every, tell, c, slog.New(slog.DiscardHandler))
}

// testRotation: a new key is known everywhere before it signs, and the old
// one verifies until its last token is over.
func testRotation(t *testing.T, db pgtest.DB) {
	t.Helper()
	dropKeys(t, db)
	root, now := rootKey(t), clock.At(noon)
	here, err := ring(t, db, root, now, 90*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	there, err := ring(t, db, root, now, 0)
	if err != nil {
		t.Fatal(err)
	}
	refresh := func() {
		t.Helper()
		if err := errors.Join(here.Refresh(t.Context()), there.Refresh(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	first := here.Keys().Active().ID()
	if _, err := here.Store().Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	there.Learn() // too soon after the start
	if n := len(there.Keys().JWKS(now.Now()).Keys); n != 1 {
		t.Errorf("unknown keys made a process look at once: %d keys", n)
	}
	now.Advance(10 * time.Second)
	there.Learn()
	if keys := there.Keys(); len(keys.JWKS(now.Now()).Keys) != 2 || keys.Active().ID() != first {
		t.Error("the next key is not published ahead, or signs already")
	}
	now.Advance(10 * time.Minute)
	refresh()
	second := here.Keys().Active().ID()
	if second == first || there.Keys().Active().ID() != second {
		t.Error("the next key does not sign when it is time")
	}
	if _, ok := there.Keys().Find(first, now.Now()); !ok {
		t.Error("the key before does not verify any more, although its tokens are out there")
	}
	now.Advance(time.Hour + time.Minute)
	if _, ok := there.Keys().Find(first, now.Now()); ok {
		t.Error("the key before verifies for ever")
	}

	now.Advance(90 * 24 * time.Hour)
	refresh() // rotates by schedule, in one of the two
	now.Advance(10 * time.Minute)
	refresh()
	if third := there.Keys().Active().ID(); third == second || countKeys(t, db) != 3 {
		t.Errorf("no rotation by schedule, or several: %d keys", countKeys(t, db))
	}

	if _, err := here.Store().Replace(t.Context()); err != nil {
		t.Fatal(err)
	}
	refresh()
	if _, ok := there.Keys().Find(second, now.Now()); ok || len(there.Keys().JWKS(now.Now()).Keys) != 1 {
		t.Error("a compromised key still verifies")
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
