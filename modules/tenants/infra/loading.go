package infra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/archive"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/uow"
)

// loader is the visitor that fills the schema of a copy.
type loader struct {
	porter *Porter
	house  *pg.Carrier     // where the schema is
	ctx    context.Context //nolint:containedctx // that of one loading, which archive.Visitor has no room for
	copy   domain.Copy
	told   func(done, all int64)

	fillings  map[string]*pg.Filling // by table, but for those that are left out
	done, all int64
}

func (p *Porter) loader(ctx context.Context, c domain.Copy, told func(done, all int64)) (*loader, error) {
	house, err := p.carriers.Of(c.House())
	return &loader{porter: p, house: house, ctx: ctx, copy: c, told: told, fillings: map[string]*pg.Filling{}}, err
}

// Begin implements archive.Visitor: it makes the schema, of the version that
// the archive has. That it is the same schema, its fingerprint says.
func (l *loader) Begin(h archive.Header) error {
	declared, err := l.house.Fingerprint(l.ctx, h.Version)
	if err != nil {
		return err
	}
	if declared != h.Fingerprint {
		return domain.ErrArchiveNewer.Because(errors.New("its schema is not the one of this version here"))
	}
	tables, err := l.house.Prepare(l.ctx, l.copy.Schema, h.Version, func(tx uow.Tx) error {
		return l.porter.copies.Hold(l.ctx, tx, l.copy, domain.Copying)
	})
	if err != nil {
		return err
	}
	for _, t := range h.Tables {
		i := slices.IndexFunc(tables, func(there pg.Table) bool { return there.Name == t.Name })
		if i < 0 {
			return domain.ErrArchive.Because(fmt.Errorf("its version has no table %s", t.Name))
		}
		if !l.leavesOut(tables[i]) {
			l.fillings[t.Name] = l.house.Fill(l.copy.Schema, tables[i], t.Columns)
		}
	}
	return nil
}

// Rows implements archive.Visitor.
func (l *loader) Rows(t archive.Table, rows []byte) error {
	l.passed(int64(len(rows)))
	if f, ok := l.fillings[t.Name]; ok {
		return f.Add(l.ctx, rows)
	}
	return nil
}

// leavesOut: a tenant that goes back keeps what lasts, and another tenant gets
// nothing that means the first one.
func (l *loader) leavesOut(t pg.Table) bool {
	if l.copy.New() {
		return t.Own
	}
	return t.Lasting
}

// File implements archive.Visitor.
func (l *loader) File(id uuid.UUID, size int64, content io.Reader) error {
	l.passed(size)
	return l.porter.place(l.ctx, s3x.TenantKey(l.copy.Target, id), size, content)
}

func (l *loader) passed(n int64) {
	l.done += n
	l.told(l.done, max(l.all, l.done))
}

// place puts content where it belongs, unless it is there: an object never
// changes.
func (p *Porter) place(ctx context.Context, key s3x.Key, size int64, content io.Reader) error {
	head, err := p.blobs.Head(ctx, key)
	if err == nil && head.Size == size {
		return nil
	}
	if err != nil && !errors.Is(err, s3x.ErrNotFound) {
		return err
	}
	_, err = p.blobs.Put(ctx, key, content, size, contentType)
	return err
}

// contentType is what an object says of itself; what a client is told, the
// file's row says.
const contentType = "application/octet-stream"

// verify holds what has come into the schema against what was read of the
// archive, which its own sums vouch for.
func (l *loader) verify() error {
	for _, f := range l.fillings {
		if err := f.Verify(l.ctx); err != nil {
			return err
		}
	}
	return nil
}

// Refill puts back contents of an archive that have gone from the object store
// while they belonged to no row: the sweeper of files may have met them.
func (p *Porter) Refill(ctx context.Context, c domain.Copy, b domain.Backup) error {
	whole := true
	house, err := p.carriers.Of(c.House())
	if err != nil {
		return err
	}
	err = house.Out(ctx, c.Schema, func(_ *pg.Snapshot, tx uow.Tx) error {
		for _, k := range p.keepers {
			err := eachObject(ctx, tx, k, func(o tenants.Object) error {
				_, err := p.blobs.Head(ctx, s3x.TenantKey(c.Target, o.ID))
				if errors.Is(err, s3x.ErrNotFound) {
					whole = false
					return nil
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || whole {
		return explained(err)
	}
	if err := p.Check(ctx, b); err != nil { // first: a damaged one has nothing to give
		return err
	}
	return p.readArchive(ctx, b, refill{p, ctx, c.Target})
}

type refill struct {
	porter *Porter
	ctx    context.Context //nolint:containedctx // that of one reading
	tenant uuid.UUID
}

func (refill) Begin(archive.Header) error       { return nil }
func (refill) Rows(archive.Table, []byte) error { return nil }

func (r refill) File(id uuid.UUID, size int64, content io.Reader) error {
	return r.porter.place(r.ctx, s3x.TenantKey(r.tenant, id), size, content)
}
