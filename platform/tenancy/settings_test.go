package tenancy_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

var patience = setting.OfDuration("things.patience", "How long things wait.", 0, time.Hour)

// stalled answers for one tenant once it may, and for the others at once.
type stalled struct {
	slow    tenancy.Tenant
	asked   chan struct{} // yields when the slow one is asked
	release chan struct{}
}

func (s *stalled) Version(context.Context, uow.Tx) (int64, error) { return 1, nil }

func (s *stalled) Stored(ctx context.Context, _ uow.Tx) (map[string]json.RawMessage, error) {
	if ctx.Value(s) == s.slow.ID {
		s.asked <- struct{}{}
		<-s.release
	}
	return map[string]json.RawMessage{"things.patience": json.RawMessage(`"7m"`)}, nil
}

// TestASlowTenantHoldsUpItselfAlone: whose settings take long to read lets all
// other tenants learn theirs, and who waits for it can give up.
func TestASlowTenantHoldsUpItselfAlone(t *testing.T) {
	t.Parallel()
	slow := tenancy.Tenant{ID: uuid.MustParse("00000000-0000-7000-8000-000000000001")}
	source := &stalled{slow: slow, asked: make(chan struct{}), release: make(chan struct{})}
	s := tenancy.NewSettings(setting.NewRegistry([]setting.Declared{patience.Default(time.Minute)}), source)
	learn := func(ctx context.Context, of tenancy.Tenant) error {
		return s.Learn(context.WithValue(ctx, source, of.ID), nil, of, 1)
	}
	done := make(chan error, 1)
	go func() { done <- learn(t.Context(), slow) }()
	<-source.asked
	for last := range 256 { // whatever their ids have in common
		other := tenancy.Tenant{ID: uuid.UUID{1, 15: byte(last)}}
		if err := learn(t.Context(), other); err != nil || patience.In(s.Of(other)) != 7*time.Minute {
			t.Fatalf("%s: %v, %v", other.ID, patience.In(s.Of(other)), err)
		}
	}
	ctx, giveUp := context.WithCancel(t.Context())
	giveUp()
	if err := learn(ctx, slow); !errors.Is(err, context.Canceled) || patience.In(s.Of(slow)) != time.Minute {
		t.Errorf("before it is read: %v, %v", patience.In(s.Of(slow)), err)
	}
	close(source.release)
	if err := <-done; err != nil || patience.In(s.Of(slow)) != 7*time.Minute {
		t.Errorf("after it is read: %v, %v", patience.In(s.Of(slow)), err)
	}
	if err := learn(t.Context(), slow); err != nil { // known by now: nobody is asked
		t.Error(err)
	}
}
