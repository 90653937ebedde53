package infra

// Decoy is what an unknown user's password is compared with.
func Decoy(p *Passwords) []byte { return p.decoy }

// Waiting tells how many wait for a slot.
func Waiting(p *Passwords) (n int) {
	p.turns.mu.Lock()
	defer p.turns.mu.Unlock()
	for _, queue := range p.turns.waiting {
		n += len(queue)
	}
	return n
}
