package domain

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

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
	signer note.Signer
	public string
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

// algEd25519 is how package note marks a key.
const algEd25519 = 1

// NewHeadKey makes the key of a tenant from a secret seed.
func NewHeadKey(tenant uuid.UUID, seed []byte) (*HeadKey, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, errors.New("a seed of a head key has another length")
	}
	name := "insula-audit/" + tenant.String()
	public, ok := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("no public half of a head key")
	}
	verifier, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return nil, fmt.Errorf("head key: %w", err)
	}
	hash := strings.Split(verifier, "+")[1]
	private := base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, seed...))
	signer, err := note.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + private)
	if err != nil {
		return nil, fmt.Errorf("head key: %w", err)
	}
	return &HeadKey{tenant: tenant, signer: signer, public: verifier}, nil
}

// Public is the verifier key, in the form of package note:
// name+hash+base64(key).
func (k *HeadKey) Public() string { return k.public }

// Sign returns the signed note of a head.
func (k *HeadKey) Sign(h Head) (string, error) {
	if h.Tenant != k.tenant {
		return "", errors.New("a head of another tenant is not signed")
	}
	signed, err := note.Sign(&note.Note{Text: h.text()}, k.signer)
	if err != nil {
		return "", fmt.Errorf("sign a head: %w", err)
	}
	return string(signed), nil
}

// OpenHead reads a signed head. It fails for one that none of the verifier
// keys signed.
func OpenHead(signed string, keys ...string) (Head, error) {
	verifiers := make([]note.Verifier, len(keys))
	for i, key := range keys {
		var err error
		if verifiers[i], err = note.NewVerifier(key); err != nil {
			return Head{}, fmt.Errorf("verifier key: %w", err)
		}
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifiers...))
	if err != nil {
		return Head{}, fmt.Errorf("head: %w", err)
	}
	return parseHead(opened.Text)
}
