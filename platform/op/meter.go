package op

// Decided is what came of asking for an operation. Each that is asked for
// counts once, although the HTTP layer decides before it reads a body and Do
// decides again.
type Decided string

// What can come of it.
const (
	Allowed     Decided = "allowed"
	Refused     Decided = "denied"
	NotSignedIn Decided = "not_signed_in" // nobody knows who asks
)

// Meter counts decisions. It must not wait.
type Meter interface {
	ObserveDecision(outcome string)
}

// decided tells the meter, if there is one.
func (r *Runner) decided(as Decided) {
	if r.meter != nil {
		r.meter.ObserveDecision(string(as))
	}
}
