package errs_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/errs"
)

var errTaken = errs.New(errs.Conflict, "users.email_taken", "Someone in this tenant already uses this e-mail address.")

func TestSameCodeIsTheSameError(t *testing.T) {
	derived := errTaken.At("#/email", "is taken").Because(errors.New("duplicate key")).After(time.Second)
	wrapped := fmt.Errorf("insert: %w", derived)
	if !errors.Is(wrapped, errTaken) {
		t.Fatal("a derived error must match its declaration")
	}
	if errors.Is(wrapped, errs.ErrConflict) {
		t.Fatal("another code of the same kind must not match")
	}
	if len(errTaken.Fields) != 0 || errTaken.Unwrap() != nil || errTaken.RetryAfter != 0 {
		t.Fatal("deriving must not change the declaration")
	}
}

func TestKindAndCodeOf(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		kind errs.Kind
		code string
	}{
		{"declared", errTaken, errs.Conflict, "users.email_taken"},
		{"wrapped", fmt.Errorf("x: %w", errTaken), errs.Conflict, "users.email_taken"},
		{"undeclared", errors.New("relation does not exist"), errs.Internal, "internal"},
		{"nil", nil, errs.Internal, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := errs.KindOf(tc.err); got != tc.kind {
				t.Errorf("kind %d, want %d", got, tc.kind)
			}
			if got := errs.CodeOf(tc.err); got != tc.code {
				t.Errorf("code %q, want %q", got, tc.code)
			}
		})
	}
}

func TestFieldsDoNotShareMemory(t *testing.T) {
	base := errs.ErrInvalid.At("#/a", "one")
	left, right := base.At("#/b", "two"), base.At("#/c", "three")
	if left.Fields[1].Pointer != "#/b" || right.Fields[1].Pointer != "#/c" {
		t.Fatalf("derived errors overwrote each other: %v %v", left.Fields, right.Fields)
	}
}
