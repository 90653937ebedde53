package infra

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/archive"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/uow"
)

// Porter carries tenants between schemas, archives and the object store, all
// of it as a stream: what a tenant has is never in memory at once.
type Porter struct {
	carriers *pg.Carriers
	blobs    s3x.Blobs
	copies   *Copies
	keepers  []tenants.Keeper
	settlers []tenants.Settler
	clock    clock.Clock
}

// NewPorter makes the porter of a process.
func NewPorter(c *pg.Carriers, blobs s3x.Blobs, copies *Copies, keepers []tenants.Keeper, settlers []tenants.Settler, now clock.Clock) *Porter {
	return &Porter{carriers: c, blobs: blobs, copies: copies, keepers: keepers, settlers: settlers, clock: now}
}

const archiveType = "application/x-tar"

// Pack writes a tenant as it is at one instant into an archive, and the
// archive into the object store.
func (p *Porter) Pack(ctx context.Context, t domain.Tenant, object uuid.UUID, told func(done, all int64)) (domain.Packed, error) {
	var packed domain.Packed
	from, err := p.carriers.Of(t.Home())
	if err != nil {
		return packed, err
	}
	err = from.Out(ctx, t.Schema, func(s *pg.Snapshot, tx uow.Tx) error {
		w, err := p.pack(ctx, t, s, tx, told)
		if err != nil {
			return err
		}
		about := w.all
		stored, manifest, err := through(w.write, func(r io.Reader) (s3x.Object, error) {
			return p.blobs.Stream(ctx, s3x.ArchiveKey(object), r, about, archiveType)
		})
		packed = domain.Packed{
			SchemaVersion: s.Version, Rows: manifest.Rows(), Files: manifest.Files.Count, FileBytes: manifest.Files.Bytes,
			Size: stored.Size, SHA256: stored.SHA256, At: s.At,
		}
		return err
	})
	return packed, explained(err)
}

// Check reads an archive to its end: all of it must be as it was written.
func (p *Porter) Check(ctx context.Context, b domain.Backup) error {
	return p.readArchive(ctx, b, nothing{})
}

// Fetch writes an archive to w, and holds it against what is known of it.
func (p *Porter) Fetch(ctx context.Context, b domain.Backup, w io.Writer) error {
	return p.open(ctx, b, func(sum *tally) error {
		_, err := io.Copy(w, sum)
		return err
	})
}

// nothing is a visitor that does nothing with what it is shown.
type nothing struct{}

func (nothing) Begin(archive.Header) error             { return nil }
func (nothing) Rows(archive.Table, []byte) error       { return nil }
func (nothing) File(uuid.UUID, int64, io.Reader) error { return nil }

// Unpack fills the schema of a copy from an archive, and the object store with
// the contents of files.
func (p *Porter) Unpack(ctx context.Context, c domain.Copy, b domain.Backup, told func(done, all int64)) error {
	l, err := p.loader(ctx, c, told)
	if err != nil {
		return err
	}
	l.all = b.Size
	if err := p.readArchive(ctx, b, l); err != nil {
		return err
	}
	return explained(l.verify())
}

// Pour is Pack and Unpack in one, without an archive in between.
func (p *Porter) Pour(ctx context.Context, c domain.Copy, from domain.Tenant, told func(done, all int64)) error {
	l, err := p.loader(ctx, c, func(int64, int64) {})
	if err != nil {
		return err
	}
	house, err := p.carriers.Of(from.Home())
	if err != nil {
		return err
	}
	err = house.Out(ctx, from.Schema, func(s *pg.Snapshot, tx uow.Tx) error {
		w, err := p.pack(ctx, from, s, tx, told)
		if err != nil {
			return err
		}
		_, _, err = through(w.write, func(r io.Reader) (struct{}, error) {
			_, _, err := archive.Read(r, l)
			return struct{}{}, err
		})
		return err
	})
	if err != nil {
		return explained(err)
	}
	return explained(l.verify())
}

// Complete ends a copy into a new tenant: its schema comes to the newest
// version, its rows are put right, and the tenant is active.
func (p *Porter) Complete(ctx context.Context, c domain.Copy) error {
	house, err := p.carriers.Of(c.House())
	if err != nil {
		return err
	}
	err = house.Complete(ctx, c.Schema, func(tx uow.Tx) error {
		return errors.Join(p.settle(ctx, tx), p.copies.Founded(ctx, tx, c, house.Version()))
	})
	if err != nil || !c.Elsewhere() {
		return err
	}
	return p.copies.Follow(ctx, c)
}

// Replace ends a copy over a tenant: from then on the tenant has what the
// archive has, and the trail that it had before.
func (p *Porter) Replace(ctx context.Context, c domain.Copy) error {
	house, err := p.carriers.Of(c.House())
	if err != nil {
		return err
	}
	if err := house.Complete(ctx, c.Schema, func(tx uow.Tx) error { return p.settle(ctx, tx) }); err != nil {
		return err
	}
	if err := house.Upgrade(ctx, c.OldSchema); err != nil {
		return err // what lasts moves as it is, so both must be of one version
	}
	err = house.Replace(ctx, c.OldSchema, c.Schema, func(tx uow.Tx) error {
		return p.copies.Replaced(ctx, tx, c, house.Version())
	})
	if err != nil || !c.Elsewhere() {
		return explained(err)
	}
	return p.copies.Follow(ctx, c)
}

func (p *Porter) settle(ctx context.Context, tx uow.Tx) error {
	for _, s := range p.settlers {
		if err := s.Settle(ctx, tx, p.clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

// RemoveSchema removes a schema and its role where a copy makes one.
func (p *Porter) RemoveSchema(ctx context.Context, c domain.Copy, schema string) error {
	house, err := p.carriers.Of(c.House())
	if err != nil {
		return err
	}
	return house.Remove(ctx, schema)
}

// RemoveObjects removes all that a tenant has in the object store.
func (p *Porter) RemoveObjects(ctx context.Context, tenant uuid.UUID) error {
	for object, err := range p.blobs.List(ctx, tenant) {
		if err != nil {
			return explained(err)
		}
		if err := p.blobs.Discard(ctx, object.Key); err != nil {
			return explained(err)
		}
	}
	for upload, err := range p.blobs.Unfinished(ctx, tenant) {
		if err != nil {
			return explained(err)
		}
		if err := p.blobs.Abort(ctx, upload.Key, upload.Upload); err != nil {
			return explained(err)
		}
	}
	return nil
}

// Discard removes an archive, or what an interrupted attempt has left of one.
func (p *Porter) Discard(ctx context.Context, object uuid.UUID) error {
	return explained(p.blobs.Discard(ctx, s3x.ArchiveKey(object)))
}

// Alone runs fn unless another process works for the same operation.
func (p *Porter) Alone(ctx context.Context, operation uuid.UUID, fn func(ctx context.Context) error) error {
	return p.carriers.Main().Alone(ctx, operation, fn)
}

// through joins a writer and a reader that work at the same time. The error of
// the one that failed first is returned.
func through[R any](write func(io.Writer) (archive.Manifest, error), read func(io.Reader) (R, error)) (R, archive.Manifest, error) {
	r, w := io.Pipe()
	type ending struct {
		manifest archive.Manifest
		err      error
	}
	written := make(chan ending, 1)
	go func() {
		m, err := write(w)
		_ = w.CloseWithError(err) // always nil
		written <- ending{m, err}
	}()
	out, err := read(r)
	_ = r.CloseWithError(errReader) // always nil
	end := <-written
	if end.err != nil && !errors.Is(end.err, errReader) {
		return out, end.manifest, end.err
	}
	return out, end.manifest, err
}

var errReader = errors.New("the reader has ended")

// open reads an archive to its end, which must be as it was written.
func (p *Porter) open(ctx context.Context, b domain.Backup, read func(*tally) error) error {
	content, err := p.blobs.Get(ctx, s3x.ArchiveKey(b.Object), s3x.Range{})
	if errors.Is(err, s3x.ErrNotFound) {
		return domain.ErrArchive.Because(err)
	}
	if err != nil {
		return explained(err)
	}
	defer func() { _ = content.Close() }() // all that counts was read
	sum := newTally(content)
	if err := read(sum); err != nil {
		return explained(err)
	}
	if sum.text() != b.SHA256 || sum.n != b.Size {
		return domain.ErrArchive.Because(fmt.Errorf("%d bytes with the sum %s", sum.n, sum.text()))
	}
	return nil
}

// readArchive shows an archive to a visitor, and holds it against what is known
// of it.
func (p *Porter) readArchive(ctx context.Context, b domain.Backup, v archive.Visitor) error {
	var header archive.Header
	var manifest archive.Manifest
	err := p.open(ctx, b, func(sum *tally) (err error) {
		if header, manifest, err = archive.Read(sum, v); err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, sum) // what tar puts after its end
		return err
	})
	if err != nil {
		return err
	}
	if header.TenantID != b.TenantID || header.Version != b.SchemaVersion || manifest.Rows() != b.Rows || manifest.Files.Count != b.Files {
		return domain.ErrArchive.Because(errors.New("it is another archive"))
	}
	return nil
}

// explained declares the errors that are not passing.
func explained(err error) error {
	if _, declared := errs.As(err); declared || err == nil {
		return err
	}
	switch {
	case errors.Is(err, archive.ErrCorrupt):
		return domain.ErrArchive.Because(err)
	case errors.Is(err, pg.ErrUnknownVersion):
		return domain.ErrArchiveNewer.Because(err)
	case errors.Is(err, pg.ErrFillDiffers):
		return domain.ErrDiffers.Because(err)
	case errors.Is(err, pg.ErrSwapBusy):
		return domain.ErrInUse.Because(err)
	case errors.Is(err, pg.ErrDrift):
		return domain.ErrDrift.Because(err)
	case errors.Is(err, s3x.ErrUnavailable):
		return errs.ErrUnavailable.Because(err)
	}
	return pg.Translate(err, nil, nil)
}
