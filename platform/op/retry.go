package op

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/uow"
)

// Errors of requests that a client sends again under one Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header).
var (
	ErrKeyReused  = errs.New(errs.Invalid, "idempotency_key_reused", "This Idempotency-Key was used for another request.").At("header.Idempotency-Key", "was used for another request")
	ErrKeyRunning = errs.New(errs.Conflict, "idempotency_key_running", "The request with this Idempotency-Key is still running.").After(time.Second)
)

// Claim names a request that may be sent again.
type Claim struct {
	CallerID    uuid.UUID
	Key         string
	Fingerprint []byte // of operation, target and body
	Now         time.Time
}

// Retries keeps the results of operations in the tenant's schema, in the
// transaction of the operation: a result is there exactly if its effect is.
type Retries interface {
	// Begin takes the key, or returns the result of the request that had it.
	// It returns ErrKeyReused when that was another request and ErrKeyRunning
	// when it has not ended.
	Begin(ctx context.Context, tx uow.Tx, c Claim) (result []byte, found bool, err error)
	// Finish keeps the result of the request that took the key.
	Finish(ctx context.Context, tx uow.Tx, c Claim, result []byte) error
	// Release gives up the key of a request that failed: it may come again.
	Release(ctx context.Context, tx uow.Tx, c Claim) error
}

// replayable runs body once for a key, however often the request comes.
func replayable[T any](ctx context.Context, r *Runner, d Def, body func(uow.Tx) (T, error)) func(uow.Tx) (T, bool, error) {
	if r.scope.Retry == nil || r.retries == nil || !d.Writes {
		return func(tx uow.Tx) (T, bool, error) {
			out, err := body(tx)
			return out, false, err
		}
	}
	claim := Claim{
		CallerID: r.scope.Caller.ID, Key: r.scope.Retry.Key,
		Fingerprint: r.scope.Retry.Fingerprint, Now: r.clock.Now(),
	}
	return func(tx uow.Tx) (T, bool, error) {
		var out T
		kept, found, err := r.retries.Begin(ctx, tx, claim)
		if err != nil {
			return out, false, err
		}
		if found {
			if err := json.Unmarshal(kept, &out); err != nil {
				return out, true, fmt.Errorf("kept result of %s: %w", d.Name, err)
			}
			return out, true, nil
		}
		out, err = body(tx)
		if _, kept := err.(*keptError); kept { //nolint:errorlint // only as Keep made it
			if rerr := r.retries.Release(ctx, tx, claim); rerr != nil {
				return out, false, rerr
			}
		}
		if err != nil {
			return out, false, err
		}
		result, err := json.Marshal(out)
		if err != nil {
			return out, false, fmt.Errorf("result of %s: %w", d.Name, err)
		}
		return out, false, r.retries.Finish(ctx, tx, claim, result)
	}
}
