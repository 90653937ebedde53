package infra

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/jwtx"
)

const (
	// reloadEvery is how soon a process notices a key that another has made.
	reloadEvery = time.Minute
	// learnEvery bounds how often tokens with unknown keys, which anybody can
	// send, make a process look for them.
	learnEvery = 10 * time.Second
	// learnTimeout bounds how long a request waits for that.
	learnTimeout = 3 * time.Second
)

// KeyRing keeps the keys of a running process in step with the store.
type KeyRing struct {
	store *KeyStore
	set   *jwtx.KeySet
	every time.Duration // between rotations; zero for never
	tell  func(ctx context.Context, key string, err error) error
	clock clock.Clock
	log   *slog.Logger

	mu     sync.Mutex // held while loading
	loaded time.Time
}

// OpenKeyRing loads the keys, or makes the first. every is the time between
// rotations; zero leaves them to commands. tell is told how each of them went.
func OpenKeyRing(ctx context.Context, store *KeyStore, every time.Duration, tell func(ctx context.Context, key string, err error) error, c clock.Clock, log *slog.Logger) (*KeyRing, error) {
	active, all, err := store.load(ctx)
	if err != nil {
		return nil, err
	}
	set, err := jwtx.NewKeySet(active, all...)
	if err != nil {
		return nil, err
	}
	return &KeyRing{store: store, set: set, every: every, tell: tell, clock: c, log: log, loaded: c.Now()}, nil
}

// Keys is the set that signs and verifies; it changes as keys are rotated.
func (r *KeyRing) Keys() *jwtx.KeySet { return r.set }

// Store is where the keys are kept.
func (r *KeyRing) Store() *KeyStore { return r.store }

// Learn looks for keys that are not known yet, if nobody has just done so. A
// verifier calls it for a token of an unknown key.
func (r *KeyRing) Learn() {
	if !r.mu.TryLock() {
		return // somebody is at it
	}
	defer r.mu.Unlock()
	if r.clock.Now().Sub(r.loaded) < learnEvery {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), learnTimeout)
	defer cancel()
	if err := r.reload(ctx); err != nil {
		r.log.WarnContext(ctx, "signing keys not reloaded", "error", err)
	}
}

// Refresh rotates the keys when it is time, and loads what is new.
func (r *KeyRing) Refresh(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	due, err := r.store.due(ctx, r.every)
	if err == nil && due {
		err = r.rotate(ctx)
	}
	if err != nil {
		return err
	}
	return r.reload(ctx)
}

// rotate makes the next key and tells of it, unless another process was quicker
// and does.
func (r *KeyRing) rotate(ctx context.Context) error {
	key, err := r.store.Rotate(ctx)
	if key == "" && err == nil {
		return nil
	}
	if untold := r.tell(ctx, key, err); untold != nil && err == nil {
		r.log.ErrorContext(ctx, "a rotation of the signing keys is not recorded", "key", key, "error", untold)
	}
	return err
}

func (r *KeyRing) reload(ctx context.Context) error {
	r.loaded = r.clock.Now()
	active, all, err := r.store.load(ctx)
	if err != nil {
		return err
	}
	return r.set.Replace(active, all...)
}

// Run keeps the keys fresh until ctx ends. What fails is tried again.
func (r *KeyRing) Run(ctx context.Context) error {
	ticker := time.NewTicker(reloadEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := r.Refresh(ctx); err != nil && ctx.Err() == nil {
				r.log.WarnContext(ctx, "signing keys not refreshed", "error", err)
			}
		}
	}
}
