package domain

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/notary"
	"github.com/insulahq/insula/platform/secret"
)

// Receipt says that a tenant was erased, and how much there was of it.
type Receipt struct {
	Tenant   uuid.UUID
	Slug     string
	BegunAt  time.Time
	ErasedAt time.Time
	Holdings Holdings
}

// SignedReceipt is a receipt with its signed note.
type SignedReceipt struct {
	Receipt
	Note string
}

const (
	receiptTitle = "insula erasure receipt"
	receiptKey   = "insula-erasures"
	receiptTime  = time.RFC3339
)

// lines are the signed part in order, below the title.
func (r Receipt) lines() [][2]string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	h := r.Holdings
	return [][2]string{
		{"tenant", r.Tenant.String()}, {"slug", r.Slug},
		{"begun", r.BegunAt.UTC().Format(receiptTime)}, {"erased", r.ErasedAt.UTC().Format(receiptTime)},
		{"tables", number(h.Tables)}, {"rows", number(h.Rows)}, {"database-bytes", number(h.DatabaseBytes)},
		{"objects", number(h.Objects)}, {"object-bytes", number(h.ObjectBytes)},
		{"jobs", number(h.Jobs)}, {"control-rows", number(h.ControlRows)},
	}
}

func (r Receipt) text() string {
	var b strings.Builder
	fmt.Fprintln(&b, receiptTitle)
	for _, line := range r.lines() {
		fmt.Fprintf(&b, "%s %s\n", line[0], line[1])
	}
	return b.String()
}

// ReceiptKey signs the receipts of an installation, and nothing else.
type ReceiptKey struct{ key *notary.Key }

// NewReceiptKey derives the key from the root key of the installation.
func NewReceiptKey(root secret.Key) (ReceiptKey, error) {
	key, err := notary.NewKey(receiptKey, root.Derive("insula/erasure receipts/v1", ed25519.SeedSize))
	if err != nil {
		return ReceiptKey{}, fmt.Errorf("key of receipts: %w", err)
	}
	return ReceiptKey{key: key}, nil
}

// Public is the key that verifies receipts: name+hash+base64(key).
func (k ReceiptKey) Public() string { return k.key.Public() }

// Sign signs a receipt.
func (k ReceiptKey) Sign(r Receipt) (SignedReceipt, error) {
	signed, err := k.key.Sign(r.text())
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("sign a receipt: %w", err)
	}
	return SignedReceipt{Receipt: r, Note: signed}, nil
}

// OpenReceipt reads a signed receipt. It fails for one that was changed, or
// that none of the keys signed.
func OpenReceipt(signed string, keys ...string) (SignedReceipt, error) {
	text, err := notary.Open(signed, keys...)
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("receipt: %w", err)
	}
	r, err := parseReceipt(text)
	return SignedReceipt{Receipt: r, Note: signed}, err
}

var errReceipt = errors.New("not a receipt of an erasure")

func parseReceipt(text string) (r Receipt, err error) {
	h := &r.Holdings
	numbers := map[string]*int64{
		"tables": &h.Tables, "rows": &h.Rows, "database-bytes": &h.DatabaseBytes, "objects": &h.Objects,
		"object-bytes": &h.ObjectBytes, "jobs": &h.Jobs, "control-rows": &h.ControlRows,
	}
	title, rest, _ := strings.Cut(text, "\n")
	if title != receiptTitle {
		return r, errReceipt
	}
	for line := range strings.Lines(rest) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch name {
		case "tenant":
			r.Tenant, err = uuid.Parse(value)
		case "slug":
			r.Slug = value
		case "begun":
			r.BegunAt, err = time.Parse(receiptTime, value)
		case "erased":
			r.ErasedAt, err = time.Parse(receiptTime, value)
		default:
			into, known := numbers[name]
			if !known {
				return r, errReceipt
			}
			*into, err = strconv.ParseInt(value, 10, 64)
		}
		if err != nil {
			return r, fmt.Errorf("%w: %s: %w", errReceipt, name, err)
		}
	}
	if r.text() != text {
		return r, errReceipt // a line is missing, twice there, or not where it belongs
	}
	return r, nil
}
