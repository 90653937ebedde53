package pg_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
)

func TestTranslate(t *testing.T) {
	missing := errs.New(errs.NotFound, "things.not_found", "There is no such thing.")
	taken := errs.New(errs.Conflict, "things.taken", "Somebody has it.")
	rules := pg.Rules{"things_name_key": taken}
	plain := errors.New("plain")
	for name, tc := range map[string]struct {
		err  error
		want error
	}{
		"nothing":                {nil, nil},
		"declared already":       {fmt.Errorf("about: %w", taken), taken},
		"no row":                 {pgx.ErrNoRows, missing},
		"a constraint":           {&pgconn.PgError{Code: "23505", ConstraintName: "things_name_key"}, taken},
		"a shard's constraint":   {&pgconn.PgError{Code: "23505", Message: `duplicate key value violates unique constraint "things_name_key_102008"`}, taken},
		"unknown constraint":     {&pgconn.PgError{Code: "23505", ConstraintName: "other"}, nil},
		"cancelled":              {&pgconn.PgError{Code: "57014"}, errs.ErrTimeout},
		"out of time":            {context.DeadlineExceeded, errs.ErrTimeout},
		"shut down":              {&pgconn.PgError{Code: "57P01"}, errs.ErrUnavailable},
		"nobody listens":         {&pgconn.ConnectError{}, errs.ErrUnavailable},
		"reset under way":        {fmt.Errorf("read: %w", &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}), errs.ErrUnavailable},
		"broken off at a commit": {fmt.Errorf("commit: %w", io.ErrUnexpectedEOF), errs.ErrUnavailable},
		"anything else":          {plain, plain},
	} {
		t.Run(name, func(t *testing.T) {
			want := tc.want
			if want == nil {
				want = tc.err // as it is
			}
			if got := pg.Translate(tc.err, missing, rules); !errors.Is(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
