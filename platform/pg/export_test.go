package pg

// Waiting is how many reads of one row wait in a pool to travel together.
func (p *Pool) Waiting() (n int) {
	for _, s := range p.shards.all {
		s.quick.mu.Lock()
		n += len(s.quick.waiting)
		s.quick.mu.Unlock()
	}
	return n
}
