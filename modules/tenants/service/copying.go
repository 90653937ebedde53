package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// The background side of copies. Each attempt is recorded when it begins, and
// once more when it fails; what the copy is of, its operation tells.
var (
	PackTenant    = op.Job("tenants.pack", "Write a tenant into an archive.", op.About("tenant"), op.Long, op.Recorded)
	UnpackTenant  = op.Job("tenants.unpack", "Make a tenant of an archive, or put it back to one.", op.About("tenant"), op.Long, op.Recorded)
	CloneTenant   = op.Job("tenants.copy", "Copy a tenant into a new one.", op.About("tenant"), op.Long, op.Recorded)
	DiscardBackup = op.Job("tenants.discard", "Remove an archive.", op.About("backup"), op.Long, op.Recorded)
)

// Copies keeps how far copies are: see infra.Copies. Each method is durable
// when it returns.
type Copies interface {
	Tenant(ctx context.Context, id uuid.UUID) (domain.Tenant, error)
	Backup(ctx context.Context, id uuid.UUID) (domain.Backup, error)
	Copy(ctx context.Context, operation uuid.UUID) (domain.Copy, error)
	Begin(ctx context.Context, c domain.Copy) (domain.Copy, error)
	Take(ctx context.Context, c domain.Copy) (arrived bool, err error)
	Follow(ctx context.Context, c domain.Copy) error
	Aim(ctx context.Context, c domain.Copy, id uuid.UUID) (domain.Copy, error)
	Advance(ctx context.Context, operation uuid.UUID, progress int) error
	Note(ctx context.Context, c domain.Copy, cause error, undo bool) (undoing bool, err error)
	Packed(ctx context.Context, c domain.Copy, p domain.Packed) error
	Moved(ctx context.Context, c domain.Copy, m domain.Moved) error
	Cleaned(ctx context.Context, c domain.Copy, cause error) error
	Undone(ctx context.Context, c domain.Copy) error
	Forget(ctx context.Context, backup uuid.UUID) error
	// MoveOf finds the move of a tenant that is not over; domain.ErrNoMove.
	MoveOf(ctx context.Context, tenant uuid.UUID) (domain.Copy, error)
	// GaveUp ends a move as was decided.
	GaveUp(ctx context.Context, c domain.Copy, e domain.Ending, note uuid.UUID) error
}

// Porter carries what tenants have: see infra.Porter. Errors that are declared,
// other than that something is away, will come again with every attempt.
type Porter interface {
	Pack(ctx context.Context, t domain.Tenant, object uuid.UUID, told func(done, all int64)) (domain.Packed, error)
	Check(ctx context.Context, b domain.Backup) error
	Unpack(ctx context.Context, c domain.Copy, b domain.Backup, told func(done, all int64)) error
	Pour(ctx context.Context, c domain.Copy, from domain.Tenant, told func(done, all int64)) error
	Complete(ctx context.Context, c domain.Copy) error
	Replace(ctx context.Context, c domain.Copy) error
	Refill(ctx context.Context, c domain.Copy, b domain.Backup) error
	RemoveSchema(ctx context.Context, c domain.Copy, schema string) error
	RemoveObjects(ctx context.Context, tenant uuid.UUID) error
	Discard(ctx context.Context, object uuid.UUID) error
}

// Landlord finds the tenant in whose name copies are made.
type Landlord func(ctx context.Context) (domain.Tenant, error)

// Copying makes copies of tenants. It may be interrupted anywhere: the next
// attempt goes on where nothing can be lost, or takes away what there is and
// begins anew. Only one process may work on a copy at a time.
type Copying struct {
	jobs     *op.Jobs
	copies   Copies
	porter   Porter
	transfer Transfer
	landlord Landlord
	live     *tenancy.Live
	clock    clock.Clock
	ids      id.Source
}

// NewCopying makes the service of a process.
func NewCopying(jobs *op.Jobs, c Copies, p Porter, t Transfer, l Landlord, live *tenancy.Live, now clock.Clock, ids id.Source) *Copying {
	return &Copying{jobs: jobs, copies: c, porter: p, transfer: t, landlord: l, live: live, clock: now, ids: ids}
}

// Run does what is left of a copy. An error means that it is to be run again,
// after a while; how it ended, its operation tells.
func (s *Copying) Run(ctx context.Context, c domain.Copy) error {
	landlord, err := s.landlord(ctx)
	if err != nil {
		return err
	}
	if c, err = s.copies.Begin(ctx, c); err != nil {
		return err
	}
	d := map[domain.CopyKind]op.Def{
		domain.CopyOut: PackTenant, domain.CopyIn: UnpackTenant, domain.CopyOver: UnpackTenant, domain.CopyClone: CloneTenant,
		domain.CopyMove: MoveTenant,
	}[c.Kind]
	_, err = op.Do(ctx, s.jobs.Runner(landlord.Tenant, d), d.On(c.Target.String()), func(uow.Tx) (struct{}, error) {
		return struct{}{}, s.advance(ctx, c)
	})
	if err == nil || ctx.Err() != nil || errors.Is(err, domain.ErrOvertaken) {
		return err // an attempt that was interrupted is not one that failed
	}
	return s.failed(ctx, c, err)
}

// failed keeps why an attempt failed, and undoes the copy if no other one
// would do better.
func (s *Copying) failed(ctx context.Context, c domain.Copy, cause error) error {
	aimed, err := s.copies.Copy(ctx, c.Operation)
	if err != nil {
		return errors.Join(cause, err)
	}
	c.Schema = aimed.Schema // the attempt named it after it had begun
	undo := (final(cause, c.Attempts) || c.Hopeless(s.clock.Now())) && !s.beyond(ctx, c)
	undoing, err := s.copies.Note(ctx, c, cause, undo)
	if errors.Is(err, domain.ErrOvertaken) || err == nil && !undoing {
		return cause
	}
	if err != nil {
		return errors.Join(cause, err)
	}
	c.Step = domain.Undoing
	return errors.Join(cause, s.undo(ctx, c))
}

// final reports whether the attempt of a number failed for a reason that will
// not pass. A file may have been removed for good since the instant of the
// snapshot: the next one is without it.
func final(err error, attempt int) bool {
	if errs.CodeOf(err) == domain.ErrFileMissing.Code && attempt < 3 {
		return false
	}
	e, declared := errs.As(err)
	return declared && e.Kind != errs.Unavailable && e.Kind != errs.Timeout && e.Kind != errs.Internal
}

func (s *Copying) advance(ctx context.Context, c domain.Copy) error {
	if c.Kind == domain.CopyMove {
		return s.relocate(ctx, c)
	}
	switch c.Step {
	case domain.Copying:
		return s.copy(ctx, c)
	case domain.Cleaning:
		return s.clean(ctx, c)
	case domain.Undoing:
		return s.undo(ctx, c)
	}
	return nil
}

func (s *Copying) copy(ctx context.Context, c domain.Copy) error {
	arrived, err := s.copies.Take(ctx, c)
	if err != nil {
		return err
	}
	if arrived {
		return s.follow(ctx, c)
	}
	if err := s.removeLast(ctx, c); err != nil {
		return err
	}
	object := s.ids.New()
	if c, err = s.copies.Aim(ctx, c, object); err != nil {
		return err
	}
	switch c.Kind {
	case domain.CopyOut:
		return s.pack(ctx, c, object)
	case domain.CopyClone:
		return s.clone(ctx, c)
	}
	return s.unpack(ctx, c)
}

// removeLast takes away what the attempt before has left: an archive or a
// schema of its own, which nobody can complete any more.
func (s *Copying) removeLast(ctx context.Context, c domain.Copy) error {
	if c.Kind == domain.CopyMove {
		return s.transfer.Undo(ctx, c)
	}
	if c.Kind != domain.CopyOut {
		return s.porter.RemoveSchema(ctx, c, c.Schema)
	}
	b, err := s.copies.Backup(ctx, *c.Backup)
	if err != nil {
		return err
	}
	return s.porter.Discard(ctx, b.Object)
}

func (s *Copying) pack(ctx context.Context, c domain.Copy, object uuid.UUID) error {
	t, err := s.copies.Tenant(ctx, c.Source)
	if err != nil {
		return err
	}
	packed, err := s.porter.Pack(ctx, t, object, s.progress(ctx, c, 0, 95))
	if err != nil {
		return err
	}
	err = s.copies.Packed(ctx, c, packed)
	if errors.Is(err, domain.ErrOvertaken) { // who took over knows nothing of this archive
		err = errors.Join(err, s.porter.Discard(ctx, object))
	}
	return err
}

func (s *Copying) clone(ctx context.Context, c domain.Copy) error {
	t, err := s.copies.Tenant(ctx, c.Source)
	if err != nil {
		return err
	}
	if err := s.porter.Pour(ctx, c, t, s.progress(ctx, c, 0, 95)); err != nil {
		return err
	}
	return s.found(ctx, c)
}

// unpack reads the archive twice: nothing is made of one that is damaged.
func (s *Copying) unpack(ctx context.Context, c domain.Copy) error {
	b, err := s.copies.Backup(ctx, *c.Backup)
	if err != nil {
		return err
	}
	if err := s.porter.Check(ctx, b); err != nil {
		return err
	}
	if err := s.porter.Unpack(ctx, c, b, s.progress(ctx, c, 20, 95)); err != nil {
		return err
	}
	if c.New() {
		return s.found(ctx, c)
	}
	if err := s.porter.Replace(ctx, c); err != nil {
		return err
	}
	return s.replaced(ctx, c)
}

// follow ends what an attempt before has brought to its end in a placement.
func (s *Copying) follow(ctx context.Context, c domain.Copy) error {
	if err := s.copies.Follow(ctx, c); err != nil {
		return err
	}
	if !c.New() {
		return s.replaced(ctx, c)
	}
	s.live.Forget(c.Target)
	return nil
}

// replaced does what is left once a tenant works in its new schema.
func (s *Copying) replaced(ctx context.Context, c domain.Copy) error {
	s.live.Forget(c.Target)
	c.Step = domain.Cleaning
	return s.clean(ctx, c)
}

// found brings a new tenant to life.
func (s *Copying) found(ctx context.Context, c domain.Copy) error {
	if err := s.porter.Complete(ctx, c); err != nil {
		return err
	}
	s.live.Forget(c.Target)
	return nil
}

// clean takes the old schema away, once the new one is seen to work and has
// all that belongs to it. Contents that are nowhere any more do not come by
// waiting: the copy ends without them and says so.
func (s *Copying) clean(ctx context.Context, c domain.Copy) error {
	b, err := s.copies.Backup(ctx, *c.Backup)
	if err != nil {
		return err
	}
	lost := s.porter.Refill(ctx, c, b)
	if lost != nil {
		if !final(lost, c.Attempts) {
			return lost
		}
		lost = domain.ErrFilesLost.Because(lost)
	}
	if err := s.porter.RemoveSchema(ctx, c, c.OldSchema); err != nil {
		return err
	}
	if err := s.copies.Cleaned(ctx, c, lost); err != nil {
		return err
	}
	return lost
}

// undo takes away what a copy has made. What it has put back into the object
// store of a tenant that was there before belongs to no file, and the sweeper
// of files removes it.
func (s *Copying) undo(ctx context.Context, c domain.Copy) error {
	if err := s.removeLast(ctx, c); err != nil {
		return err
	}
	if c.New() {
		if err := s.porter.RemoveObjects(ctx, c.Target); err != nil {
			return err
		}
	}
	return s.copies.Undone(ctx, c)
}

// progress tells clients how far a copy is, between two percentages, once for
// each that passes. That it could not be told fails nothing.
func (s *Copying) progress(ctx context.Context, c domain.Copy, from, to int) func(done, all int64) {
	last := -1
	return func(done, all int64) {
		if now := from + int(float64(to-from)*float64(done)/float64(max(all, 1))); now > last {
			last = now
			_ = s.copies.Advance(ctx, c.Operation, now)
		}
	}
}

// Discard removes a backup that is to be removed.
func (s *Copying) Discard(ctx context.Context, backup uuid.UUID) error {
	landlord, err := s.landlord(ctx)
	if err != nil {
		return err
	}
	run := s.jobs.Runner(landlord.Tenant, DiscardBackup)
	_, err = op.Do(ctx, run, DiscardBackup.On(backup.String()), func(uow.Tx) (struct{}, error) {
		b, err := s.copies.Backup(ctx, backup)
		if err != nil {
			return struct{}{}, err
		}
		if b.Status != domain.BackupDeleting {
			return struct{}{}, fmt.Errorf("backup %s is %s", backup, b.Status)
		}
		if err := s.porter.Discard(ctx, b.Object); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.copies.Forget(ctx, backup)
	})
	return err
}
