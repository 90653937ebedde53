package page

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/secret"
)

// ErrCursor refuses a cursor that was not made here, or for another tenant or
// another filter.
var ErrCursor = errs.New(errs.Invalid, "invalid_cursor", "This cursor does not belong to this list.").
	At("query.cursor", "is not a cursor of this list")

const (
	positionSize = 8 + 16 // the text follows
	macSize      = 16
)

// Codec turns positions into cursors that clients can keep but not make: each
// is signed together with what it belongs to.
type Codec struct{ key []byte }

// NewCodec signs with key, 32 random bytes that all replicas share.
func NewCodec(key []byte) *Codec { return &Codec{key: key} }

// Encode makes the cursor of a position in the list that binding names.
func (c *Codec) Encode(p Position, binding string) string {
	raw := make([]byte, positionSize, positionSize+len(p.Text)+macSize)
	binary.BigEndian.PutUint64(raw, uint64(p.At.UnixMicro()))
	copy(raw[8:], p.ID[:])
	raw = append(raw, p.Text...)
	return secret.EncodeText(append(raw, c.mac(raw, binding)...))
}

// Decode reads a cursor. It returns ErrCursor for everything that Encode did
// not make with the same binding.
func (c *Codec) Decode(cursor, binding string) (Position, error) {
	raw, err := secret.DecodeText(cursor)
	if err != nil || len(raw) < positionSize+macSize {
		return Position{}, ErrCursor
	}
	body, mac := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	if !hmac.Equal(mac, c.mac(body, binding)) {
		return Position{}, ErrCursor
	}
	return Position{
		At:   time.UnixMicro(int64(binary.BigEndian.Uint64(body))).UTC(),
		ID:   uuid.UUID(body[8:positionSize]),
		Text: string(body[positionSize:]),
	}, nil
}

func (c *Codec) mac(raw []byte, binding string) []byte {
	h := hmac.New(sha256.New, c.key)
	h.Write(raw)
	h.Write([]byte(binding))
	return h.Sum(nil)[:macSize]
}
