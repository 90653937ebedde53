package service_test

import (
	"context"
	"testing"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
)

// quiet is a trail of which nothing is told but that it is watched.
type quiet struct{ news chan []domain.Written }

func (q quiet) Watch(context.Context, tenancy.Tenant) (news <-chan []domain.Written, stop func()) {
	return q.news, func() {}
}

// TestAViewerHasToComeAgain: who watches for long is asked anew who it is, also
// on a trail of which nothing comes.
func TestAViewerHasToComeAgain(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	signs := make(chan []domain.Written)
	ended := make(chan error)
	told := 0
	run, r := asAda(f, clock.System{})
	v := service.NewViewing(run, r, infra.NewTree(), quiet{signs}, nil)
	go func() {
		ended <- v.Watch(t.Context(), nil, func([]domain.Written) error {
			told++
			return nil
		})
	}()
	for sent := 0; ; sent++ {
		select {
		case signs <- nil:
		case err := <-ended:
			if err != nil || sent == 0 || told != sent+1 { // the first tells that it has begun
				t.Errorf("it ended after %d signs, of which %d were told: %v", sent, told, err)
			}
			return
		}
	}
}
