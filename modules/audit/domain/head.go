package domain

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/insulahq/insula/platform/notary"
	"github.com/insulahq/insula/platform/secret"
)

// Head says what the tree of a tenant was at a time: its size and its root
// fix every record before. Signed, and kept where the database's owner cannot
// reach it, it makes any later change of those records show.
type Head struct {
	Tenant uuid.UUID
	Size   int64
	Root   tlog.Hash
	At     time.Time
}

// originPrefix begins the first line of a head, which says whose tree it is.
const originPrefix = "insula audit trail "

// text is the signed part: origin, size and root as in transparency logs
// (C2SP tlog-checkpoint), and the time as a line of our own.
func (h Head) text() string {
	return fmt.Sprintf("%s%s\n%d\n%s\n%s\n", originPrefix, h.Tenant, h.Size, h.Root, h.At.UTC().Format(instantForm))
}

func parseHead(text string) (h Head, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[4] != "" || !strings.HasPrefix(lines[0], originPrefix) {
		return h, errors.New("not a head of an audit trail")
	}
	if h.Tenant, err = uuid.Parse(strings.TrimPrefix(lines[0], originPrefix)); err != nil {
		return h, fmt.Errorf("tenant of a head: %w", err)
	}
	if h.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || h.Size < 1 {
		return h, errors.New("a head has no size")
	}
	if h.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return h, fmt.Errorf("root of a head: %w", err)
	}
	if h.At, err = instant(lines[3]); err != nil {
		return h, fmt.Errorf("time of a head: %w", err)
	}
	return h, nil
}

// HeadKey signs the heads of one tenant. It signs nothing else: it is derived
// for this purpose and this tenant, and has nothing to do with the keys of
// access tokens.
type HeadKey struct {
	tenant uuid.UUID
	key    *notary.Key
}

// HeadKeys makes the head keys of all tenants from the root key of the
// installation: none is stored, and knowing one says nothing about the others.
type HeadKeys struct{ root secret.Key }

// NewHeadKeys derives from root.
func NewHeadKeys(root secret.Key) HeadKeys { return HeadKeys{root: root} }

// Of is the key of one tenant.
func (k HeadKeys) Of(tenant uuid.UUID) (*HeadKey, error) {
	return NewHeadKey(tenant, k.root.Derive("insula/audit heads/v1/"+tenant.String(), ed25519.SeedSize))
}

// NewHeadKey makes the key of a tenant from a secret seed.
func NewHeadKey(tenant uuid.UUID, seed []byte) (*HeadKey, error) {
	key, err := notary.NewKey("insula-audit/"+tenant.String(), seed)
	if err != nil {
		return nil, fmt.Errorf("head key: %w", err)
	}
	return &HeadKey{tenant: tenant, key: key}, nil
}

// Public is the verifier key, in the form of package note:
// name+hash+base64(key).
func (k *HeadKey) Public() string { return k.key.Public() }

// Sign returns the signed note of a head.
func (k *HeadKey) Sign(h Head) (string, error) {
	if h.Tenant != k.tenant {
		return "", errors.New("a head of another tenant is not signed")
	}
	signed, err := k.key.Sign(h.text())
	if err != nil {
		return "", fmt.Errorf("sign a head: %w", err)
	}
	return signed, nil
}

// OpenHead reads a signed head. It fails for one that none of the verifier
// keys signed.
func OpenHead(signed string, keys ...string) (Head, error) {
	text, err := notary.Open(signed, keys...)
	if err != nil {
		return Head{}, fmt.Errorf("head: %w", err)
	}
	return parseHead(text)
}
