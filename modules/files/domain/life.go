package domain

import (
	"time"
)

// Change is what may be changed of a file; nil leaves it as it is.
type Change struct {
	Folder   *string
	Name     *string
	Metadata *Metadata
}

// Moves reports whether the change gives the file another place.
func (c Change) Moves() bool { return c.Folder != nil || c.Name != nil }

// Change changes a file. An earlier version has no place of its own
// (ErrEarlier), and what is deleted has none at all (ErrDeleted). It returns
// ErrInvalid naming each wrong field.
func (f File) Change(c Change, now time.Time) (File, error) {
	invalid := ErrInvalid
	var flaw string
	if c.Folder != nil {
		if f.Folder, flaw = CleanFolder(*c.Folder); flaw != "" {
			invalid = invalid.At("#/folder", flaw)
		}
	}
	if c.Name != nil {
		if f.Name, flaw = cleanName(*c.Name); flaw != "" {
			invalid = invalid.At("#/name", flaw)
		}
	}
	if c.Metadata != nil {
		f.Metadata = *c.Metadata
		if flaw = f.Metadata.flaw(); flaw != "" {
			invalid = invalid.At("#/metadata", flaw)
		}
	}
	switch {
	case len(invalid.Fields) > 0:
		return f, invalid
	case f.Status == Deleted:
		return f, ErrDeleted
	case c.Moves() && f.Earlier():
		return f, ErrEarlier
	}
	f.UpdatedAt = now
	return f, nil
}

// Follow gives an earlier version the place of its newest one.
func (f File) Follow(newest File) File {
	f.Folder, f.Name, f.UpdatedAt = newest.Folder, newest.Name, newest.UpdatedAt
	return f
}

// Supersede makes a file an earlier version.
func (f File) Supersede(now time.Time) File {
	f.Superseded, f.UpdatedAt = now, now
	return f
}

// Restore makes an earlier version the one that carries the name.
func (f File) Restore(now time.Time) (File, error) {
	if err := f.Readable(); err != nil {
		return f, err
	}
	if !f.Earlier() {
		return f, ErrCurrent
	}
	return f.Lead(now), nil
}

// Lead makes a version the one that carries the name.
func (f File) Lead(now time.Time) File {
	f.Superseded, f.UpdatedAt = time.Time{}, now
	return f
}

// Heads reports whether the file carries the name of its line, or would if its
// content were not lost. A line has one such file at most.
func (f File) Heads() bool { return f.Kept() && !f.Earlier() }

// Kept reports whether the file has content that was ready once, and is not
// deleted.
func (f File) Kept() bool { return f.Status == Ready || f.Lost() }

// Bin deletes a file so that it can be brought back.
func (f File) Bin(now time.Time) File {
	f.Status, f.DeletedAt, f.UpdatedAt = Deleted, now, now
	return f
}

// Undelete brings a deleted file back; ErrNotDeleted. One whose content was
// lost is as lost as before.
func (f File) Undelete(now time.Time) (File, error) {
	if f.Status != Deleted {
		return f, ErrNotDeleted
	}
	f.Status, f.DeletedAt, f.UpdatedAt = Ready, time.Time{}, now
	if f.Reason == ReasonLost {
		f.Status = Quarantined
	}
	return f, nil
}

// DeletedWith reports whether f was deleted by the same act as g.
func (f File) DeletedWith(g File) bool {
	return f.Status == Deleted && f.DeletedAt.Equal(g.DeletedAt)
}
