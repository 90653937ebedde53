package tenantsmodule

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/telemetry"
)

// Copier makes copies of tenants in the background, and finishes or undoes
// what a crash interrupted. Its pieces are operations, and backups that are to
// be removed.
type Copier struct{ *jobs.Worker }

// Copies that nobody works on are looked for regularly: those of a process
// that was killed. Those that failed here are tried again sooner.
const recopyEvery = 15 * time.Second

// copiesAtOnce bounds the copies of one process, and its moves: each holds
// connections, and reads or writes as fast as it can.
const copiesAtOnce = 2

type copier struct {
	copies  *infra.Copies
	porter  *infra.Porter
	service *service.Copying
	turns   chan struct{}
	moves   chan struct{} // turns of their own: a tenant may be open nowhere until its move goes on
}

// NewCopier makes the worker of a process. Its cleanup interrupts what is under
// way; the next start takes it up again.
func NewCopier(c *infra.Copies, p *infra.Porter, s *service.Copying, log *slog.Logger, m *telemetry.Metrics) (Copier, func()) {
	w := &copier{copies: c, porter: p, service: s, turns: make(chan struct{}, copiesAtOnce), moves: make(chan struct{}, copiesAtOnce)}
	worker := jobs.NewWorker(jobs.Work{
		Name: "tenants.copies", Pending: w.pending, Do: w.do, Every: recopyEvery, Observe: m.ObserveJob,
	}, log)
	return Copier{worker}, worker.Stop
}

func (w *copier) pending(ctx context.Context) ([]uuid.UUID, error) {
	open, err := w.copies.Open(ctx)
	if err != nil {
		return nil, err
	}
	doomed, err := w.copies.Doomed(ctx)
	return slices.Concat(open, doomed), err
}

func (w *copier) do(ctx context.Context, id uuid.UUID) error {
	turns := w.turns
	if c, err := w.copies.Copy(ctx, id); err == nil && c.Kind == domain.CopyMove {
		turns = w.moves
	}
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := w.porter.Alone(ctx, id, func(ctx context.Context) error {
		c, err := w.copies.Copy(ctx, id)
		if errs.CodeOf(err) == domain.ErrNoOperation.Code {
			return w.service.Discard(ctx, id)
		}
		if err != nil {
			return err
		}
		return w.service.Run(ctx, c)
	})
	switch {
	case errors.Is(err, pg.ErrTaken), errors.Is(err, domain.ErrOvertaken):
		return jobs.ErrTaken
	case errors.Is(err, domain.ErrNoBackup):
		return nil // another process has done it
	}
	return err
}
