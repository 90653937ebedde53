package infra

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/archive"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/uow"
)

// packing writes one tenant into an archive.
type packing struct {
	porter   *Porter
	ctx      context.Context //nolint:containedctx // that of one packing, which io.Writer has no room for
	tenant   domain.Tenant
	snapshot *pg.Snapshot
	tx       uow.Tx
	told     func(done, all int64)

	done, all int64 // bytes, about
}

func (p *Porter) pack(ctx context.Context, t domain.Tenant, s *pg.Snapshot, tx uow.Tx, told func(done, all int64)) (*packing, error) {
	w := &packing{porter: p, ctx: ctx, tenant: t, snapshot: s, tx: tx, told: told, all: s.Bytes}
	for _, k := range p.keepers {
		n, err := k.Bytes(ctx, tx)
		if err != nil {
			return nil, err
		}
		w.all += n
	}
	return w, nil
}

func (w *packing) header() archive.Header {
	h := archive.Header{
		TenantID: w.tenant.ID, Slug: w.tenant.Slug, Name: w.tenant.Name,
		Version: w.snapshot.Version, Fingerprint: w.snapshot.Fingerprint, At: w.snapshot.At,
	}
	for _, t := range w.snapshot.Tables {
		h.Tables = append(h.Tables, archive.Table{Name: t.Name, Columns: t.Columns})
	}
	return h
}

func (w *packing) write(out io.Writer) (archive.Manifest, error) {
	a, err := archive.NewWriter(out, w.header())
	if err != nil {
		return archive.Manifest{}, err
	}
	for _, t := range w.snapshot.Tables {
		err := a.Table(func(rows io.Writer) error { return w.snapshot.Copy(w.ctx, t, io.MultiWriter(rows, w)) })
		if err != nil {
			return archive.Manifest{}, err
		}
	}
	for _, k := range w.porter.keepers {
		if err := eachObject(w.ctx, w.tx, k, func(o tenants.Object) error { return w.object(a, o) }); err != nil {
			return archive.Manifest{}, err
		}
	}
	return a.Close()
}

// Write implements io.Writer: it counts rows and contents as they pass.
func (w *packing) Write(p []byte) (int, error) {
	w.done += int64(len(p))
	w.told(w.done, max(w.all, w.done))
	return len(p), nil
}

// objectsAtOnce is how many objects are listed with one query.
const objectsAtOnce = 500

// eachObject goes through the contents that a module keeps.
func eachObject(ctx context.Context, tx uow.Tx, k tenants.Keeper, do func(tenants.Object) error) error {
	for after := uuid.Nil; ; {
		some, err := k.Objects(ctx, tx, after, objectsAtOnce)
		if err != nil {
			return err
		}
		for _, o := range some {
			if err := do(o); err != nil {
				return err
			}
			after = o.ID
		}
		if len(some) < objectsAtOnce {
			return nil
		}
	}
}

func (w *packing) object(a *archive.Writer, o tenants.Object) error {
	content, err := w.porter.blobs.Get(w.ctx, s3x.TenantKey(w.tenant.ID, o.ID), s3x.Range{})
	if errors.Is(err, s3x.ErrNotFound) {
		if !o.Needed {
			return nil // deleted for good since the instant of the snapshot
		}
		return domain.ErrFileMissing.Because(err)
	}
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // all that counts was read
	if content.Length != o.Size {
		return domain.ErrFileMissing.Because(fmt.Errorf("object %s has %d bytes, not %d", o.ID, content.Length, o.Size))
	}
	return a.File(o.ID, content.Length, io.TeeReader(content, w))
}

// tally counts and hashes what is read.
type tally struct {
	r    io.Reader
	hash hash.Hash
	n    int64
}

func newTally(r io.Reader) *tally { return &tally{r: r, hash: sha256.New()} }

// Read implements io.Reader.
func (t *tally) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.n += int64(n)
	_, _ = t.hash.Write(p[:n]) // never fails
	return n, err
}

func (t *tally) text() string { return hex.EncodeToString(t.hash.Sum(nil)) }
