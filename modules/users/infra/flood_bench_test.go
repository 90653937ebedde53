package infra_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/platform/secret"
)

// floodCost is the least that configuration allows; the default, 12, takes
// four times as long, for the flood and the neighbour alike.
const floodCost = 10

// BenchmarkNeighbourOfALoginFlood measures how long a tenant waits for the
// comparison of one password while another tenant has 100 logins under way,
// with one slot. In turns it waits for what is being computed and for one turn
// of the other, and then has its own: three comparisons, however long the
// other's queue.
func BenchmarkNeighbourOfALoginFlood(b *testing.B) {
	for name, logins := range map[string]int{"alone": 0, "beside 100 logins": 100} {
		b.Run(name, func(b *testing.B) {
			root, err := secret.NewKey(zeros{})
			if err != nil {
				b.Fatal(err)
			}
			h := infra.NewPasswords([]secret.Key{root}, floodCost, 1)
			flood, quiet := newID(), newID()
			ctx, stop := context.WithCancel(b.Context())
			var group sync.WaitGroup
			for range logins {
				group.Go(func() {
					for compare(ctx, h, flood) == nil {
					}
				})
			}
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				if err := compare(ctx, h, quiet); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			stop()
			group.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

func compare(ctx context.Context, h *infra.Passwords, tenant uuid.UUID) error {
	slot, err := h.Reserve(ctx, tenant)
	if err != nil {
		return err
	}
	defer slot.Release()
	slot.Matches(secret.Value{}, secret.New("a wrong password"))
	return nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
