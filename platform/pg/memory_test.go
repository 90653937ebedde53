package pg_test

import (
	"fmt"
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// A backend that has learned too much is replaced between two units of work,
// and nobody notices.
func TestABackendThatHoldsTooMuchIsReplaced(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	mark(t, f)
	pool, err := pg.Open(t.Context(), pg.Options{URL: f.AppURL, MaxConns: 1, BackendMemory: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	backends := map[string]bool{}
	for i := range 60 {
		pid, err := readName(t.Context(), pool.Tenant(f.Tenant), fmt.Sprintf(`SELECT pg_backend_pid()::text || substr(name, 1, 0) FROM roles LIMIT %d`, i+1))
		if err != nil {
			t.Fatal(err)
		}
		backends[pid] = true
		err = pool.Tenant(f.Tenant).Write(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	stats := pool.Stats(tenancy.MainPlacement)
	if len(backends) < 2 || stats.Replaced == 0 || stats.Memory == 0 {
		t.Errorf("%d backends served, %d were replaced, %d bytes are held", len(backends), stats.Replaced, stats.Memory)
	}
}
