package infra_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// TestFiftyReservationsAtOnce: whatever their order, no more pass than there
// is room for, and all the room is used.
func TestFiftyReservationsAtOnce(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]domain.Policy{
		"bytes": {QuotaBytes: 10*7 + 6, QuotaFiles: 1000},
		"files": {QuotaBytes: 1000, QuotaFiles: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := pgtest.Tenant(t)
			var passed, refused atomic.Int64
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					err := tenant.Unit().Write(t.Context(), func(tx uow.Tx) error { return repo.Reserve(t.Context(), tx, 7, p) })
					switch {
					case err == nil:
						passed.Add(1)
					case errors.Is(err, domain.ErrQuota):
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			all.Wait()
			tenant.Read(t, func(tx uow.Tx) error {
				u, err := repo.Usage(t.Context(), tx)
				if passed.Load() != 10 || refused.Load() != 40 || u != (domain.Usage{Bytes: 70, Files: 10}) {
					t.Errorf("%d passed, %d refused, taken %+v", passed.Load(), refused.Load(), u)
				}
				return err
			})
		})
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	tenant, p := pgtest.Tenant(t), domain.Policy{QuotaBytes: 10, QuotaFiles: 2}
	reserve := func(size int64) error {
		return tenant.Unit().Write(t.Context(), func(tx uow.Tx) error { return repo.Reserve(t.Context(), tx, size, p) })
	}
	release := func(size int64) error {
		return tenant.Unit().Write(t.Context(), func(tx uow.Tx) error { return repo.Release(t.Context(), tx, size) })
	}
	tenant.Read(t, func(tx uow.Tx) error {
		u, err := repo.Usage(t.Context(), tx)
		if u != (domain.Usage{}) {
			t.Errorf("a new tenant has taken %+v", u)
		}
		return err
	})
	if err := release(1); err == nil {
		t.Error("room was given back that nobody had taken")
	}
	if err := reserve(11); !errors.Is(err, domain.ErrQuota) {
		t.Errorf("more than there is: %v", err)
	}
	if err := reserve(7); err != nil {
		t.Fatal(err)
	}
	err := reserve(4)
	if e, _ := errs.As(err); e == nil || e.Kind != errs.TooLarge || len(e.Fields) != 1 || !strings.Contains(e.Fields[0].Detail, "3 bytes in 1 files") {
		t.Errorf("what is left is not named: %+v", e)
	}
	if err := reserve(3); err != nil {
		t.Fatal(err)
	}
	if err := reserve(0); !errors.Is(err, domain.ErrQuota) {
		t.Errorf("a third file: %v", err)
	}
	if err := release(7); err != nil {
		t.Fatal(err)
	}
	if err := reserve(7); err != nil {
		t.Errorf("in the room that was given back: %v", err)
	}
}
