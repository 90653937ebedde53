package infra_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/secret"
)

// queueUp makes a reservation that waits, and returns once it does.
func queueUp(t *testing.T, h *infra.Passwords, tenant uuid.UUID, got func(domain.HashSlot)) {
	t.Helper()
	before := infra.Waiting(h)
	go func() {
		slot, err := h.Reserve(context.Background(), tenant)
		if err != nil {
			t.Error(err)
			return
		}
		got(slot)
	}()
	for infra.Waiting(h) == before {
		runtime.Gosched()
	}
}

// TestTenantsTakeTurns: of a tenant with many who wait and one with a single
// one, the single one comes second.
func TestTenantsTakeTurns(t *testing.T) {
	t.Parallel()
	h := infra.NewPasswords([]secret.Key{rootKey(t)}, bcrypt.MinCost, 1)
	held := reserve(t, h)
	flood, quiet := newID(), newID()
	var mu sync.Mutex
	var order []string
	done := make(chan struct{}, 6)
	note := func(who string) func(domain.HashSlot) {
		return func(s domain.HashSlot) {
			mu.Lock()
			order = append(order, who)
			mu.Unlock()
			s.Release()
			done <- struct{}{}
		}
	}
	for range 5 {
		queueUp(t, h, flood, note("flood"))
	}
	queueUp(t, h, quiet, note("quiet"))
	held.Release()
	for range 6 {
		<-done
	}
	if at := slices.Index(order, "quiet"); at != 1 {
		t.Errorf("the order was %v", order)
	}
	if infra.Waiting(h) != 0 {
		t.Errorf("%d still wait", infra.Waiting(h))
	}
	reserve(t, h).Release()
}

func TestOneTenantCannotQueueWithoutEnd(t *testing.T) {
	t.Parallel()
	h := infra.NewPasswords([]secret.Key{rootKey(t)}, bcrypt.MinCost, 1)
	held := reserve(t, h)
	flood := newID()
	done := make(chan struct{})
	for range 100 {
		queueUp(t, h, flood, func(s domain.HashSlot) { s.Release(); done <- struct{}{} })
	}
	if _, err := h.Reserve(t.Context(), flood); !errors.Is(err, errs.ErrUnavailable) {
		t.Errorf("the hundred and first: %v", err)
	}
	quiet := make(chan struct{})
	queueUp(t, h, newID(), func(s domain.HashSlot) { s.Release(); close(quiet) })
	held.Release()
	<-quiet
	for range 100 {
		<-done
	}
}

func TestWhoGivesUpWaitingTakesNobodysTurn(t *testing.T) {
	t.Parallel()
	h := infra.NewPasswords([]secret.Key{rootKey(t)}, bcrypt.MinCost, 1)
	held := reserve(t, h)
	tenant := newID()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := h.Reserve(ctx, tenant)
		gone <- err
	}()
	for infra.Waiting(h) == 0 {
		runtime.Gosched()
	}
	got := make(chan struct{})
	queueUp(t, h, tenant, func(s domain.HashSlot) { s.Release(); close(got) })
	cancel()
	if err := <-gone; !errors.Is(err, errs.ErrUnavailable) {
		t.Errorf("gave up with %v", err)
	}
	held.Release()
	<-got
	if _, err := h.Reserve(ctx, tenant); !errors.Is(err, errs.ErrUnavailable) {
		t.Errorf("who has gone already got a free slot: %v", err)
	}
	reserve(t, h).Release()
}

// TestPepperGenerations: a stored hash says under which pepper it was made,
// works as long as that is known, and is stale once there is another.
func TestPepperGenerations(t *testing.T) {
	t.Parallel()
	first, second := rootKey(t), rootKey(t)
	password := secret.New("correct horse battery")
	old := reserve(t, infra.NewPasswords([]secret.Key{first}, bcrypt.MinCost, 1))
	stored, err := old.Hash(password)
	if err != nil {
		t.Fatal(err)
	}
	now := reserve(t, infra.NewPasswords([]secret.Key{first, second}, bcrypt.MinCost, 1))
	if old.Stale(stored) || !now.Stale(stored) || !now.Matches(stored, password) || now.Matches(stored, secret.New("another")) {
		t.Error("the older pepper is not known, or taken for the current one")
	}
	fresh, err := now.Hash(password)
	if err != nil || now.Stale(fresh) || !now.Matches(fresh, password) || old.Matches(fresh, password) {
		t.Errorf("the new hash: %v", err)
	}
	gone := reserve(t, infra.NewPasswords([]secret.Key{{}, second}, bcrypt.MinCost, 1))
	if gone.Matches(stored, password) || !gone.Matches(fresh, password) {
		t.Error("a pepper that was given up still matches, or took the other with it")
	}
	costly := reserve(t, infra.NewPasswords([]secret.Key{first, second}, bcrypt.MinCost+1, 1))
	if !costly.Stale(fresh) || !costly.Matches(fresh, password) {
		t.Error("another cost does not make a hash stale")
	}
}
