package redisx_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/redisx"
)

// TestForget removes the keys of one tenant, more than one step looks at, and nobody else's.
func TestForget(t *testing.T) {
	onEachServer(t, func(t *testing.T, s server) {
		ctx := t.Context()
		client := open(t, s, clock.System{})
		cache := redisx.NewCache[int](client, "numbers", time.Minute, nil)
		for i := range 1200 {
			if err := cache.Set(ctx, redisx.Tenant(acme), fmt.Sprint(i), i); err != nil {
				t.Fatal(err)
			}
		}
		for _, other := range []redisx.Scope{redisx.Tenant(globex), redisx.Global} {
			if err := cache.Set(ctx, other, "kept", 1); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // once more does no harm
			if err := client.Forget(ctx, redisx.Tenant(acme)); err != nil {
				t.Fatal(err)
			}
		}
		if keys := raw(t, s).Keys(ctx, "*").Val(); len(keys) != 2 {
			t.Errorf("%d keys are left: %.300s", len(keys), fmt.Sprint(keys))
		}
	})
	nobody, err := redisx.Open(away, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	if err := nobody.Forget(t.Context(), redisx.Tenant(acme)); !errors.Is(err, redisx.ErrAway) {
		t.Errorf("without Redis: %v", err)
	}
}
