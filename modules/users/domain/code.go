package domain

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 as every authenticator app has it; HMAC-SHA-1 is not broken
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/secret"
)

// Time-based one-time passwords (RFC 6238), in the form that authenticator
// apps agree on.
const (
	codeStep   = 30 * time.Second
	codeDigits = 6
	codeSlack  = 1  // steps that the clocks may differ
	seedBytes  = 20 // 160 bits, as RFC 4226 recommends
)

// Authenticator is a user's second factor: an app with the same seed.
type Authenticator struct {
	UserID      uuid.UUID
	Seed        secret.Value // raw bytes
	LastStep    int64        // of the newest code that was used
	ConfirmedAt *time.Time   // nil until the user has shown a code
}

// NewSeed draws the seed of an authenticator.
func NewSeed(random io.Reader) (secret.Value, error) {
	raw := make([]byte, seedBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return secret.Value{}, fmt.Errorf("draw seed: %w", err)
	}
	return secret.New(string(raw)), nil
}

// Step returns the interval of a code that is right at now and was not used
// before, nor any later one.
func (a Authenticator) Step(code string, now time.Time) (int64, bool) {
	current := now.Unix() / int64(codeStep/time.Second)
	for step := current - codeSlack; step <= current+codeSlack; step++ {
		right := subtle.ConstantTimeCompare([]byte(codeAt([]byte(a.Seed.Reveal()), step)), []byte(code)) == 1
		if right && step > a.LastStep {
			return step, true
		}
	}
	return 0, false
}

// Code is what the app shows at this instant.
func (a Authenticator) Code(now time.Time) string {
	return codeAt([]byte(a.Seed.Reveal()), now.Unix()/int64(codeStep/time.Second))
}

// codeAt computes HOTP (RFC 4226, section 5.3).
func codeAt(seed []byte, step int64) string {
	mac := hmac.New(sha1.New, seed)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	number := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", codeDigits, number%1_000_000)
}

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

// SeedText is the seed as people type it into an app.
func SeedText(seed secret.Value) secret.Value {
	return secret.New(base32Plain.EncodeToString([]byte(seed.Reveal())))
}

// SeedURL is the seed as apps read it from a QR code.
func SeedURL(seed secret.Value, issuer string, account Email) secret.Value {
	label := url.PathEscape(issuer + ":" + account.String())
	values := url.Values{"secret": {SeedText(seed).Reveal()}, "issuer": {issuer}}
	return secret.New("otpauth://totp/" + label + "?" + strings.ReplaceAll(values.Encode(), "+", "%20"))
}

const (
	// RecoveryCodes is how many there are.
	RecoveryCodes = 10
	// recoveryBytes make 16 characters, 80 bits: as good as the seed against
	// guessing, and short enough to be written down.
	recoveryBytes = 10
)

// NewRecoveryCodes draws the codes that stand in for a lost authenticator,
// each once.
func NewRecoveryCodes(random io.Reader) ([]secret.Value, error) {
	codes := make([]secret.Value, RecoveryCodes)
	for i := range codes {
		raw := make([]byte, recoveryBytes)
		if _, err := io.ReadFull(random, raw); err != nil {
			return nil, fmt.Errorf("draw recovery code: %w", err)
		}
		text := strings.ToLower(base32Plain.EncodeToString(raw))
		codes[i] = secret.New(text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:])
	}
	return codes, nil
}

// RecoveryDigest is what is stored of a recovery code of a user. Case, spaces
// and hyphens do not matter.
func RecoveryDigest(user uuid.UUID, code string) Digest {
	plain := strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code))
	return sha256.Sum256(append(user[:], plain...))
}
