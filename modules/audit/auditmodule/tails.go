package auditmodule

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/tenancy"
)

const (
	// lookEvery is how often a trail that is watched is read without being
	// told: for what other processes write, and what was not settled when it
	// was told.
	lookEvery = time.Second
	// lifeEvery is how often viewers get a sign of life.
	lifeEvery = 15 * time.Second
	// lag is how many steps a viewer may fall behind before it has to come again.
	lag = 64
)

// Tails implements service.Tails: one reader for each trail that is watched.
type Tails struct {
	service *service.Following
	bell    *infra.Bell
	log     *slog.Logger
	ctx     context.Context // ends with the process: readers outlive the viewer who started them
	cancel  context.CancelFunc
	readers sync.WaitGroup

	mu    sync.Mutex
	rooms map[uuid.UUID]*room
}

// room is where the viewers of one trail are.
type room struct {
	open    chan struct{} // closed once the reader knows where it begins
	viewers map[chan []domain.Written]struct{}
}

// NewTails makes the readers of a process. Its cleanup ends them.
func NewTails(s *service.Following, bell *infra.Bell, log *slog.Logger) (*Tails, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Tails{service: s, bell: bell, log: log, ctx: ctx, cancel: cancel, rooms: map[uuid.UUID]*room{}}
	return t, func() {
		cancel()
		t.readers.Wait()
	}
}

// Run sends all viewers away when ctx ends, so that a server that stops does
// not wait for them.
func (t *Tails) Run(ctx context.Context) error {
	<-ctx.Done()
	t.cancel()
	return nil
}

// Watch implements service.Tails. It returns once the reader has begun: what
// comes from then on is told.
func (t *Tails) Watch(ctx context.Context, of tenancy.Tenant) (news <-chan []domain.Written, stop func()) {
	c := make(chan []domain.Written, lag)
	r := t.enter(of, c)
	if r == nil {
		close(c)
		return c, func() {}
	}
	select {
	case <-r.open:
	case <-ctx.Done():
	case <-t.ctx.Done():
	}
	return c, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(r.viewers, c)
	}
}

// enter puts a viewer into the room of a trail; nil when the process ends.
func (t *Tails) enter(of tenancy.Tenant, c chan []domain.Written) *room {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return nil
	}
	r := t.rooms[of.ID]
	if r == nil {
		r = &room{open: make(chan struct{}), viewers: map[chan []domain.Written]struct{}{}}
		t.rooms[of.ID] = r
		t.readers.Go(func() { t.read(of, r) })
	}
	r.viewers[c] = struct{}{}
	return r
}

// read reads a trail until nobody watches it any more.
func (t *Tails) read(of tenancy.Tenant, r *room) {
	heard, stop := t.bell.Listen(of.ID)
	defer stop()
	look, life := time.NewTicker(lookEvery), time.NewTicker(lifeEvery)
	defer look.Stop()
	defer life.Stop()
	var at *domain.Mark
	begun := sync.OnceFunc(func() { close(r.open) })
	for t.watched(of.ID, r) {
		var shut bool
		at, shut = t.step(of, r, at)
		if at != nil || shut {
			begun()
		}
		if shut {
			t.empty(r)
			continue // and end, unless somebody has come meanwhile
		}
		select {
		case <-t.ctx.Done():
		case <-heard:
		case <-look.C:
		case <-life.C:
			t.tell(r, nil)
		}
	}
}

// step reads what is new and tells it. shut says that the tenant is not served
// any more.
func (t *Tails) step(of tenancy.Tenant, r *room, at *domain.Mark) (reached *domain.Mark, shut bool) {
	for {
		records, end, err := t.service.Next(t.ctx, of, at)
		if errors.Is(err, tenancy.ErrSuspended) || errors.Is(err, tenancy.ErrUnknown) {
			return at, true
		}
		if err != nil {
			if t.ctx.Err() == nil {
				t.log.WarnContext(t.ctx, "watch the audit trail", "tenant_id", of.ID.String(), "error", err)
			}
			return at, false
		}
		at = &end
		if len(records) == 0 {
			return at, false
		}
		t.tell(r, records)
	}
}

// watched reports whether a trail still has viewers; if not, its reader has to
// end, and the next viewer starts another.
func (t *Tails) watched(tenant uuid.UUID, r *room) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() == nil && len(r.viewers) > 0 {
		return true
	}
	r.empty()
	delete(t.rooms, tenant)
	return false
}

// empty sends all viewers of a trail away.
func (t *Tails) empty(r *room) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.empty()
}

func (r *room) empty() {
	for c := range r.viewers {
		close(c)
	}
	clear(r.viewers)
}

// tell hands records to all viewers, and sends those away that fell behind.
func (t *Tails) tell(r *room, records []domain.Written) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range r.viewers {
		select {
		case c <- records:
		default:
			close(c)
			delete(r.viewers, c)
		}
	}
}
