package domain

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// Bounds of the life of a share.
const (
	MinShareLife = time.Minute
	MaxShareLife = 366 * 24 * time.Hour
)

// Share lets whoever holds its token read one content without an account. A
// new version of the file is another content, and not shared with it.
type Share struct {
	ID        uuid.UUID
	FileID    uuid.UUID
	Digest    secret.Digest // of the token
	SingleUse bool
	Opened    int64 // how often the content was read by it
	CreatedBy uuid.UUID
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time // zero unless revoked
}

// ShareView is what the trail sees of a share.
type ShareView struct {
	FileID    uuid.UUID  `json:"file_id"`
	SingleUse bool       `json:"single_use"`
	Opened    int64      `json:"opened"`
	ExpiresAt time.Time  `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// View shows the share without its digest.
func (s Share) View() ShareView {
	v := ShareView{FileID: s.FileID, SingleUse: s.SingleUse, Opened: s.Opened, ExpiresAt: s.ExpiresAt}
	if !s.RevokedAt.IsZero() {
		v.RevokedAt = &s.RevokedAt
	}
	return v
}

// Sharing is what is asked for of a new share.
type Sharing struct {
	Life      time.Duration
	SingleUse bool
}

// Share makes a share of a file that can be read. Its life is bounded by
// MinShareLife and MaxShareLife: ErrInvalid.
func (f File) Share(id, by uuid.UUID, d secret.Digest, in Sharing, now time.Time) (Share, error) {
	if err := f.Readable(); err != nil {
		return Share{}, err
	}
	if in.Life < MinShareLife || in.Life > MaxShareLife {
		return Share{}, ErrInvalid.At("#/expires_in", fmt.Sprintf("is not between %d and %d seconds", MinShareLife/time.Second, MaxShareLife/time.Second))
	}
	return Share{
		ID: id, FileID: f.ID, Digest: d, SingleUse: in.SingleUse, CreatedBy: by, CreatedAt: now, ExpiresAt: now.Add(in.Life),
	}, nil
}

// ShareState is what has become of a share.
type ShareState string

// The states of a share.
const (
	ShareOpen    ShareState = "open"
	ShareUsed    ShareState = "used" // once, and it was for single use
	ShareExpired ShareState = "expired"
	ShareRevoked ShareState = "revoked"
)

// State tells what has become of the share.
func (s Share) State(now time.Time) ShareState {
	switch {
	case !s.RevokedAt.IsZero():
		return ShareRevoked
	case s.SingleUse && s.Opened > 0:
		return ShareUsed
	case !now.Before(s.ExpiresAt):
		return ShareExpired
	}
	return ShareOpen
}

// Open reads the file once by the share. Whatever keeps it from being read,
// the answer to a stranger is the same: ErrShareNotFound.
func (s Share) Open(f File, now time.Time) (Share, error) {
	if s.State(now) != ShareOpen || f.Readable() != nil {
		return s, ErrShareNotFound
	}
	s.Opened++
	return s, nil
}

// Revoke ends the share.
func (s Share) Revoke(now time.Time) Share {
	if s.RevokedAt.IsZero() {
		s.RevokedAt = now
	}
	return s
}

// Shares keeps the shares of a tenant.
type Shares interface {
	// InsertShare adds one.
	InsertShare(ctx context.Context, tx uow.Tx, s Share) error
	// GetShare finds a share by the digest of its token; ErrShareNotFound.
	GetShare(ctx context.Context, tx uow.Tx, d secret.Digest) (Share, error)
	// LockShare finds a share and keeps others from changing it until the end
	// of the unit of work; ErrShareNotFound.
	LockShare(ctx context.Context, tx uow.Tx, id uuid.UUID) (Share, error)
	// UpdateShare stores how often the share was opened, and its end.
	UpdateShare(ctx context.Context, tx uow.Tx, s Share) error
	// ListShares pages through the shares of a file, newest first.
	ListShares(ctx context.Context, tx uow.Tx, file uuid.UUID, r page.Request) (page.Page[Share], error)
}
