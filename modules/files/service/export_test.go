package service

// By makes a sweeper read so many rows at once.
func (w *Sweeper) By(rows int) *Sweeper {
	w.batch = rows
	return w
}
