package domain

import (
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is a signed head that the records are held against.
type Checkpoint struct {
	Head
	Source string // where it was kept, for people
	// Leaves are the hashes of the last records before Size, as they were kept
	// beside the head; empty when nothing was. They name the record that does
	// not fit where a head alone can only say between which heads it is.
	Leaves []tlog.Hash
}

// first is the number of the record that the first of the leaves is of.
func (c Checkpoint) first() int64 { return c.Size - int64(len(c.Leaves)) }

// Checkpoints yields checkpoints by growing size; ok is false at their end.
type Checkpoints func() (c Checkpoint, ok bool, err error)

// Listed yields checkpoints that are in memory, which must be sorted by size.
func Listed(all []Checkpoint) Checkpoints {
	return func() (c Checkpoint, ok bool, err error) {
		if len(all) == 0 {
			return c, false, nil
		}
		c, all = all[0], all[1:]
		return c, true, nil
	}
}

// Checker recomputes the tree record by record and holds it against
// checkpoints of any number of sources. What it returns as an error is a
// *Finding when the records do not fit, else a failure to find out.
type Checker struct {
	edge    Edge
	own     *follower // of what Expect said; it comes first
	follows []*follower
}

// NewChecker begins with the record after edge.
func NewChecker(edge Edge, sources ...Checkpoints) (*Checker, error) {
	c := &Checker{edge: edge}
	for _, source := range sources {
		f := &follower{next: source, fit: edge.Size(), base: edge.clone()}
		if err := f.advance(&c.edge); err != nil {
			return nil, err
		}
		c.follows = append(c.follows, f)
	}
	return c, nil
}

// Size is how many records were counted.
func (c *Checker) Size() int64 { return c.edge.Size() }

// Root is the root of the tree of all records so far.
func (c *Checker) Root() tlog.Hash { return c.edge.Root() }

// Held is how many checkpoints of the sources fit.
func (c *Checker) Held() (n int) {
	for _, f := range c.follows {
		n += f.held
	}
	return n
}

// Add takes the next record by its hash and returns the hashes that belong to
// it; id may be unknown.
func (c *Checker) Add(id *uuid.UUID, leaf tlog.Hash) ([]tlog.Hash, error) {
	stored := c.edge.Append(leaf)
	if c.own != nil {
		if err := c.own.add(&c.edge, id, leaf); err != nil {
			return nil, err
		}
	}
	for _, f := range c.follows {
		if err := f.add(&c.edge, id, leaf); err != nil {
			return nil, err
		}
	}
	return stored, nil
}

// AddEvent is Add for a record that may be gone: event is nil then.
func (c *Checker) AddEvent(event *Event, leaf tlog.Hash) ([]tlog.Hash, error) {
	if event == nil {
		return c.Add(nil, leaf)
	}
	return c.Add(&event.ID, leaf)
}

// Expect holds the records that follow against one more checkpoint, in place
// of the one that was expected before.
func (c *Checker) Expect(point Checkpoint) error {
	c.own = &follower{next: Listed([]Checkpoint{point}), fit: c.edge.Size()}
	return c.own.advance(&c.edge)
}

// Finish is called after the last record: checkpoints beyond it say that
// records are missing at the end.
func (c *Checker) Finish() error {
	for _, f := range c.follows {
		if f.waiting {
			return &Finding{
				Kind: Cut, Number: c.edge.Size(),
				Detail: fmt.Sprintf("the records end before number %d, but the head of size %d of %s, signed at %s, fixes more",
					c.edge.Size(), f.point.Size, f.point.Source, f.point.At.Format(instantForm)),
			}
		}
	}
	return nil
}

// follower holds the records against the checkpoints of one source.
type follower struct {
	next    Checkpoints
	point   Checkpoint // the one that comes next
	waiting bool
	held    int
	fit     int64 // size of the last one that fitted: up to there all is well
	// base is the tree where the leaves of the next checkpoint begin, and seen
	// are the records since.
	base Edge
	seen []seen
}

type seen struct {
	id   *uuid.UUID
	leaf tlog.Hash
}

// advance goes on to the next checkpoint that can still be reached. Those
// about records that are gone by now can not be held against anything.
func (f *follower) advance(edge *Edge) error {
	for {
		var err error
		if f.point, f.waiting, err = f.next(); err != nil || !f.waiting {
			return err
		}
		if f.point.Size > edge.Size() {
			f.rebase(edge)
			return nil
		}
		if f.point.Size == edge.Size() && edge.Size() > 0 {
			if err := f.compare(edge); err != nil {
				return err
			}
		}
	}
}

func (f *follower) rebase(edge *Edge) {
	if len(f.point.Leaves) == 0 || f.point.first() >= edge.Size() {
		f.base, f.seen = edge.clone(), f.seen[:0]
	}
}

func (f *follower) add(edge *Edge, id *uuid.UUID, leaf tlog.Hash) error {
	if !f.waiting {
		return nil
	}
	f.seen = append(f.seen, seen{id, leaf})
	switch {
	case edge.Size() == f.point.Size:
		if err := f.compare(edge); err != nil {
			return err
		}
		return f.advance(edge)
	case len(f.point.Leaves) == 0 || edge.Size() < f.point.first():
		f.seen = f.seen[:0] // nothing will be compared with them
	case edge.Size() == f.point.first():
		f.base, f.seen = edge.clone(), f.seen[:0]
	}
	return nil
}

// compare holds the tree against the checkpoint of its size.
func (f *follower) compare(edge *Edge) error {
	if edge.Root() == f.point.Root {
		f.held++
		f.fit = edge.Size()
		return nil
	}
	finding := &Finding{
		Kind: Changed, Number: f.fit,
		Detail: fmt.Sprintf("the head of size %d of %s, signed at %s, fixes other records than these; the first of them is among numbers %d to %d",
			f.point.Size, f.point.Source, f.point.At.Format(instantForm), f.fit, f.point.Size-1),
	}
	if i, ok := f.firstDifference(); ok {
		finding.Number, finding.Event = f.base.Size()+int64(i), f.seen[i].id
		finding.Detail = fmt.Sprintf("record %d is not the one that the head of size %d of %s, signed at %s, fixes",
			finding.Number, f.point.Size, f.point.Source, f.point.At.Format(instantForm))
	}
	return finding
}

// firstDifference compares the records with the hashes kept beside the
// checkpoint, if these are what its root was made of.
func (f *follower) firstDifference() (int, bool) {
	if len(f.point.Leaves) == 0 || len(f.point.Leaves) != len(f.seen) || f.base.Size() != f.point.first() {
		return 0, false
	}
	tree := f.base.clone()
	for _, leaf := range f.point.Leaves {
		tree.Append(leaf)
	}
	if tree.Root() != f.point.Root {
		return 0, false
	}
	for i, leaf := range f.point.Leaves {
		if leaf != f.seen[i].leaf {
			return i, true
		}
	}
	return 0, false
}
