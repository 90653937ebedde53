package infra_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/secret"
)

func reserve(t *testing.T, h domain.Hasher) domain.HashSlot {
	t.Helper()
	slot, err := h.Reserve(t.Context(), uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(slot.Release)
	return slot
}

func TestPasswordHash(t *testing.T) {
	t.Parallel()
	pepper := rootKey(t)
	slot := reserve(t, infra.NewPasswords([]secret.Key{pepper}, bcrypt.MinCost, 1))
	long := strings.Repeat("a", 200)
	stored, err := slot.Hash(secret.New(long))
	if err != nil {
		t.Fatal(err)
	}
	again, err := slot.Hash(secret.New(long))
	if err != nil {
		t.Fatal(err)
	}
	if stored.Equal(again) {
		t.Error("two hashes of one password are the same")
	}
	if !strings.HasPrefix(stored.Reveal(), "hmac-sha384-bcrypt:p1:$2a$04$") {
		t.Errorf("the stored form does not say how it was made: %.30s", stored.Reveal())
	}
	composed, err := slot.Hash(secret.New("caf\u00e9 caf\u00e9 caf\u00e9"))
	if err != nil {
		t.Fatal(err)
	}
	bare := secret.New(strings.TrimPrefix(stored.Reveal(), "hmac-sha384-bcrypt:p1:"))
	for _, tc := range []struct {
		name             string
		stored, password secret.Value
		want             bool
	}{
		{"same", stored, secret.New(long), true},
		{"composed otherwise", composed, secret.New("cafe\u0301 cafe\u0301 cafe\u0301"), true},
		{"differs behind the 72nd byte", stored, secret.New(long[:199] + "b"), false},
		{"empty", stored, secret.Value{}, false},
		{"nothing stored", secret.Value{}, secret.New(long), false},
		{"nothing stored, empty password", secret.Value{}, secret.Value{}, false},
		{"stored in an unknown way", bare, secret.New(long), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := slot.Matches(tc.stored, tc.password); got != tc.want {
				t.Fatalf("matches = %v", got)
			}
		})
	}
	if reserve(t, infra.NewPasswords([]secret.Key{rootKey(t)}, bcrypt.MinCost, 1)).Matches(stored, secret.New(long)) {
		t.Error("a password matches under another pepper")
	}
}

// TestTheDecoyCostsWhatAHashCosts holds the decoy to be one that bcrypt works
// through: a malformed one would be refused at once, and betray by its speed
// who has no account.
func TestTheDecoyCostsWhatAHashCosts(t *testing.T) {
	t.Parallel()
	for cost := bcrypt.MinCost; cost <= 6; cost++ {
		decoy := infra.Decoy(infra.NewPasswords([]secret.Key{rootKey(t)}, cost, 1))
		if got, err := bcrypt.Cost(decoy); err != nil || got != cost {
			t.Fatalf("cost %d, %v; want %d", got, err, cost)
		}
		if err := bcrypt.CompareHashAndPassword(decoy, []byte("x")); !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			t.Fatalf("comparing with the decoy: %v", err)
		}
	}
}

func TestSlotsAreBounded(t *testing.T) {
	t.Parallel()
	h := infra.NewPasswords([]secret.Key{rootKey(t)}, bcrypt.MinCost, 2)
	first, second := reserve(t, h), reserve(t, h)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Reserve(over, uuid.Nil); errs.KindOf(err) != errs.Unavailable {
		t.Fatalf("a third slot: %v", err)
	}
	first.Release()
	first.Release() // gives back one slot, not two
	third := reserve(t, h)
	if _, err := h.Reserve(over, uuid.Nil); errs.KindOf(err) != errs.Unavailable {
		t.Fatalf("a slot too many after a double release: %v", err)
	}
	second.Release()
	third.Release()
}
