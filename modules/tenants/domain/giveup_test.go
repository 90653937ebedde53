package domain_test

import (
	"errors"
	"testing"

	"github.com/insulahq/insula/modules/tenants/domain"
)

// Whatever is lost, a move is given up only where nothing is lost by it.
func TestGivingAMoveUp(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	copying := domain.Copy{Kind: domain.CopyMove, Step: domain.Copying, From: "a", To: "b"}
	undoing, cleaning := copying, copying
	undoing.Step, cleaning.Step = domain.Undoing, domain.Cleaning
	for name, tc := range map[string]struct {
		c      domain.Copy
		s      domain.Standing
		ending domain.Ending
		err    error
	}{
		"copying, both answer":            {copying, domain.Standing{Fate: domain.FateStays}, domain.Ending{Step: domain.Undoing, Failed: true}, nil},
		"copying, the target is lost":     {copying, domain.Standing{Fate: domain.FateStays, Target: away}, domain.Ending{Step: domain.Over, Failed: true, Remains: "b"}, nil},
		"copying, the source is lost":     {copying, domain.Standing{Fate: domain.FateUnknown, Source: away}, domain.Ending{}, domain.ErrFateUnknown},
		"copying, both are lost":          {copying, domain.Standing{Fate: domain.FateUnknown, Source: away, Target: away}, domain.Ending{}, domain.ErrFateUnknown},
		"switched, both answer":           {copying, domain.Standing{Fate: domain.FateSwitched}, domain.Ending{}, domain.ErrGoesOn},
		"switched, the source is lost":    {copying, domain.Standing{Fate: domain.FateSwitched, Source: away}, domain.Ending{}, domain.ErrGoesOn},
		"switched, the target is lost":    {copying, domain.Standing{Fate: domain.FateSwitched, Target: away}, domain.Ending{}, domain.ErrTargetAway},
		"the source is another database":  {copying, domain.Standing{Fate: domain.FateLost}, domain.Ending{}, domain.ErrSourceOther},
		"undoing, both answer":            {undoing, domain.Standing{Fate: domain.FateStays}, domain.Ending{}, domain.ErrGoesOn},
		"undoing, the source is lost":     {undoing, domain.Standing{Fate: domain.FateStays, Source: away}, domain.Ending{Step: domain.Over, Failed: true, Remains: "b"}, nil},
		"undoing, the target is lost":     {undoing, domain.Standing{Fate: domain.FateStays, Target: away}, domain.Ending{Step: domain.Over, Failed: true, Remains: "b"}, nil},
		"cleaning, both answer":           {cleaning, domain.Standing{Fate: domain.FateArrived}, domain.Ending{}, domain.ErrGoesOn},
		"cleaning, the source is lost":    {cleaning, domain.Standing{Fate: domain.FateArrived, Source: away}, domain.Ending{Step: domain.Over, Remains: "a"}, nil},
		"cleaning, the target is lost":    {cleaning, domain.Standing{Fate: domain.FateArrived, Target: away}, domain.Ending{}, domain.ErrTargetAway},
		"cleaning, both servers are lost": {cleaning, domain.Standing{Fate: domain.FateArrived, Source: away, Target: away}, domain.Ending{}, domain.ErrTargetAway},
		"switched, both servers are lost": {copying, domain.Standing{Fate: domain.FateSwitched, Source: away, Target: away}, domain.Ending{}, domain.ErrTargetAway},
		"undoing, both servers are lost":  {undoing, domain.Standing{Fate: domain.FateStays, Source: away, Target: away}, domain.Ending{Step: domain.Over, Failed: true, Remains: "b"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := tc.c.GiveUp(tc.s)
			if e != tc.ending || !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Errorf("%+v, %v; want %+v, %v", e, err, tc.ending, tc.err)
			}
		})
	}
}
