package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/secret"
)

const deviceNonce = 16

// NewDevice makes a token by which a device that has signed in to an account
// is known again. It opens nothing: it only keeps what strangers do to the
// account from slowing its owner down.
func NewDevice(key []byte, tenant uuid.UUID, account Email, random io.Reader) (secret.Value, error) {
	nonce := make([]byte, deviceNonce)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return secret.Value{}, fmt.Errorf("draw device: %w", err)
	}
	return secret.New(secret.EncodeText(slices.Concat(nonce, deviceMAC(key, tenant, account, nonce)))), nil
}

// KnownDevice reports whether NewDevice made a token for this account.
func KnownDevice(key []byte, tenant uuid.UUID, claimed string, device secret.Value) bool {
	account, err := ParseEmail(claimed)
	if err != nil {
		return false
	}
	raw, err := secret.DecodeText(device.Reveal())
	if err != nil || len(raw) != deviceNonce+sha256.Size {
		return false
	}
	return hmac.Equal(raw[deviceNonce:], deviceMAC(key, tenant, account, raw[:deviceNonce]))
}

func deviceMAC(key []byte, tenant uuid.UUID, account Email, nonce []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(tenant[:])
	mac.Write(nonce)
	mac.Write([]byte(account.Key()))
	return mac.Sum(nil)
}
