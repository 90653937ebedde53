package domain

import (
	"time"

	"github.com/google/uuid"
)

// Standing is how the two sides of a move are, as far as can be found out.
type Standing struct {
	Source, Target error // why it does not answer; nil when it does
	// Fate says whether the source has given the tenant up.
	Fate Fate
}

// Fate is where the truth of a moving tenant is.
type Fate int

// The fates. Unknown is one that only the source could tell.
const (
	FateUnknown  Fate = iota
	FateLost          // the source answers, and knows nothing of the tenant
	FateStays         // at the source, which has not given it up
	FateSwitched      // at the target, which may not have let it in yet
	FateArrived       // at the target, where it works
)

// Ending is how a move ends that is given up.
type Ending struct {
	Step CopyStep // that it is at from now on
	// Failed says that the tenant stays where it was.
	Failed bool
	// Remains is the placement that keeps what it has of the tenant until it
	// answers again; empty when there is none.
	Remains string
}

// GiveUp decides how a move ends that somebody does not want to wait for, one
// of whose servers may be gone for good. Nothing is lost by it: where that
// could be, or the move goes on by itself, it returns why not, which says what
// to do.
func (c Copy) GiveUp(s Standing) (Ending, error) {
	source, target := s.Source == nil, s.Target == nil // answer
	switch {
	case s.Fate == FateUnknown:
		return Ending{}, ErrFateUnknown.Because(s.Source)
	case s.Fate == FateLost:
		return Ending{}, ErrSourceOther
	case s.Fate == FateStays && (!target || !source): // undoing asks both
		return Ending{Step: Over, Failed: true, Remains: c.To}, nil
	case s.Fate == FateStays && c.Step == Copying:
		return Ending{Step: Undoing, Failed: true}, nil
	case s.Fate == FateArrived && !source && target:
		return Ending{Step: Over, Remains: c.From}, nil
	case s.Fate != FateStays && !target:
		return Ending{}, ErrTargetAway.Because(s.Target)
	}
	return Ending{}, ErrGoesOn
}

// Remains is what a move that was given up has left in a placement.
type Remains struct {
	ID        uuid.UUID
	Tenant    uuid.UUID
	Placement string
	Schema    string // of the tenant
	NotedAt   time.Time
}

// GivenUpView is what the trail sees of a move that was given up.
type GivenUpView struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Stays   bool   `json:"stays"` // where it was
	Remains string `json:"remains,omitempty"`
}

// View is what the trail sees of the ending.
func (e Ending) View(c Copy) GivenUpView {
	return GivenUpView{From: c.From, To: c.To, Stays: e.Failed, Remains: e.Remains}
}
