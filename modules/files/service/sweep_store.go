package service

import (
	"bytes"
	"context"
	"errors"
	"iter"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/uow"
)

// ErrEmptyStore says that the object store has nothing of a tenant with files.
var ErrEmptyStore = errors.New("the object store has no object of this tenant, which has files: another bucket?")

// objects walks through the objects of the store and those that files name, in
// the same order: what only one of them has is a stray, or lost.
func (s *sweep) objects(ctx context.Context) error {
	names := &names{ctx: ctx, f: s.reader, batch: s.batch}
	named, more, err := names.next()
	if err != nil {
		return err
	}
	var failed error
	empty := true
	for found, err := range s.reader.Contents.Objects(ctx) {
		if err != nil {
			return errors.Join(failed, err) // what was not seen is not lost
		}
		empty = false
		for ; more && bytes.Compare(named.Object[:], found.Object[:]) < 0; named, more, err = names.next() {
			failed = errors.Join(failed, s.missing(ctx, named))
		}
		if err != nil {
			return errors.Join(failed, err)
		}
		if more && named.Object == found.Object {
			failed = errors.Join(failed, s.back(ctx, named, found))
			if named, more, err = names.next(); err != nil {
				return errors.Join(failed, err)
			}
			continue
		}
		failed = errors.Join(failed, s.stray(ctx, found))
	}
	if empty && more {
		return ErrEmptyStore // a lost file stays lost: better none for now than all by a wrong address
	}
	for ; more; named, more, err = names.next() {
		failed = errors.Join(failed, s.missing(ctx, named))
	}
	return errors.Join(failed, err)
}

// names pages through the objects that files name.
type names struct {
	ctx   context.Context
	f     *Files
	page  []domain.Named
	after uuid.UUID
	batch int
	over  bool
}

func (n *names) next() (one domain.Named, ok bool, err error) {
	if len(n.page) == 0 && !n.over {
		n.page, err = ask(n.ctx, n.f, func(tx uow.Tx) ([]domain.Named, error) {
			return n.f.Keep.NamedObjects(n.ctx, tx, n.after, n.batch)
		})
		n.over = err != nil || len(n.page) < n.batch
	}
	if err != nil || len(n.page) == 0 {
		return one, false, err
	}
	one, n.page = n.page[0], n.page[1:]
	n.after = one.Object
	return one, true, nil
}

// stray removes an object that no file names. A young one may belong to an
// upload that passes through a server right now.
func (s *sweep) stray(ctx context.Context, found domain.Found) error {
	if !found.Modified.Before(s.clock.Now().Add(-s.reader.policy.UploadTTL - margin)) {
		return nil
	}
	named, err := ask(ctx, s.reader, func(tx uow.Tx) (bool, error) { return s.reader.Keep.IsNamed(ctx, tx, found.Object) })
	if err != nil || named {
		return err
	}
	if !s.dry {
		if err := s.reader.Contents.Remove(ctx, found.Object); err != nil {
			return err
		}
		s.log.InfoContext(ctx, "stray object removed", "tenant_id", s.tenant.ID, "object", found.Object, "bytes", found.Size)
	}
	s.report.Strays++
	s.report.Bytes += found.Size
	return nil
}

// missing makes sure that the object of a file is not there, and keeps the
// file from being read. It may have come, or gone with its file, while the
// walk went on.
func (s *sweep) missing(ctx context.Context, named domain.Named) error {
	if _, err := s.reader.Contents.Stat(ctx, named.Object); !errors.Is(err, domain.ErrIncomplete) {
		return err
	}
	f, err := ask(ctx, s.reader, func(tx uow.Tx) (domain.File, error) { return s.reader.Keep.Get(ctx, tx, named.File) })
	if errors.Is(err, domain.ErrNotFound) || err == nil && (f.Status != domain.Ready || f.Object != named.Object) {
		return nil
	}
	if err != nil {
		return err
	}
	if !s.dry {
		lost, err := s.files(s.tenant, Lose).Lose(ctx, named.File, named.Object)
		if err != nil || !lost {
			return err
		}
		s.log.ErrorContext(ctx, "content of a file is lost", "tenant_id", s.tenant.ID, "file", named.File, "object", named.Object)
	}
	s.report.Lost++
	return nil
}

// back lets a file be read again whose lost object is there again. Its content
// must be the one that was lost: other content changes nothing.
func (s *sweep) back(ctx context.Context, named domain.Named, found domain.Found) error {
	if !named.Lost {
		return nil
	}
	f, err := ask(ctx, s.reader, func(tx uow.Tx) (domain.File, error) { return s.reader.Keep.Get(ctx, tx, named.File) })
	if errors.Is(err, domain.ErrNotFound) {
		return nil // deleted for good meanwhile
	}
	if err != nil {
		return err
	}
	c := domain.Content{Size: found.Size}
	if found.Size == f.Size {
		// What there is to find in it was found when it first came.
		if c, _, err = s.reader.read(ctx, named.Object, found.Size, nil); err != nil {
			return err
		}
	}
	switch _, err := f.Find(c, s.clock.Now()); {
	case errors.Is(err, domain.ErrFilled):
		return nil // no longer lost
	case err != nil:
		s.log.ErrorContext(ctx, "other content stands where that of a file was lost", "tenant_id", s.tenant.ID, "file", named.File,
			"object", named.Object, "error", err)
		s.report.Strange++
		return nil
	}
	return s.each(ctx, []domain.Due{{ID: named.File}}, Find, func(f *Files, ctx context.Context, id uuid.UUID) (bool, error) {
		return f.Find(ctx, id, c)
	}, &s.report.Found)
}

// parts aborts uploads in parts that no file knows.
func (s *sweep) parts(ctx context.Context) error {
	var failed error
	for u, err := range s.stale(ctx) {
		if err != nil {
			return errors.Join(failed, err)
		}
		open, err := ask(ctx, s.reader, func(tx uow.Tx) (bool, error) { return s.reader.Keep.IsOpen(ctx, tx, u.Object, u.Multipart) })
		if err != nil {
			return errors.Join(failed, err)
		}
		if open {
			continue
		}
		if !s.dry {
			if err := s.reader.Contents.Abort(ctx, u.Object, u.Multipart); err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			s.log.InfoContext(ctx, "stray parts removed", "tenant_id", s.tenant.ID, "object", u.Object)
		}
		s.report.Parts++
	}
	return failed
}

// stale are the uploads in parts that are older than any upload may be.
func (s *sweep) stale(ctx context.Context) iter.Seq2[domain.Begun, error] {
	limit := s.clock.Now().Add(-s.reader.policy.UploadTTL - margin)
	return func(yield func(domain.Begun, error) bool) {
		for u, err := range s.reader.Contents.Unfinished(ctx) {
			if err == nil && !u.At.Before(limit) {
				continue
			}
			if !yield(u, err) {
				return
			}
		}
	}
}
