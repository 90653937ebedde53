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

// Citus names no constraint in the field meant for it. These are the messages
// of Citus 13.2 through a coordinator.
func TestTranslateUnderstandsShards(t *testing.T) {
	taken := errs.New(errs.Conflict, "things.taken", "Somebody has it.")
	gone := errs.New(errs.Conflict, "things.gone", "It is not there.")
	wrong := errs.New(errs.Invalid, "things.wrong", "That is wrong.")
	rules := pg.Rules{"users_email_live": taken, "user_roles_role_id_fkey": gone, "users_name_check": wrong, "rooms_during_excl": taken}
	for name, tc := range map[string]struct {
		code, message string
		want          error
	}{
		"unique": {"23505", `duplicate key value violates unique constraint "users_email_live_102029"`, taken},
		"foreign key of a new row": {"23503",
			`insert or update on table "user_roles_102032" violates foreign key constraint "user_roles_role_id_fkey_102032"`, gone},
		"foreign key of an old row, which also names its table": {"23503",
			`update or delete on table "roles_102031" violates foreign key constraint "user_roles_role_id_fkey_102032" on table "user_roles_102032"`, gone},
		"check, without a shard": {"23514", `new row for relation "users_102029" violates check constraint "users_name_check"`, wrong},
		"exclusion":              {"23P01", `conflicting key value violates exclusion constraint "rooms_during_excl_102040"`, taken},
		"code lost on the way":   {"XX000", `duplicate key value violates unique constraint "users_email_live_102029"`, taken},
		"no constraint at all":   {"23502", `null value in column "email" of relation "users_102029" violates not-null constraint`, nil},
		"another internal error": {"XX000", `could not find shard placement "users_email_live"`, nil},
		"unknown constraint":     {"23505", `duplicate key value violates unique constraint "other_102029"`, nil},
		"a worker is away": {"08006",
			`connection to the remote node worker-1:5432 failed with the following error: server closed the connection unexpectedly`, errs.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			err := &pgconn.PgError{Code: tc.code, Message: tc.message}
			want := tc.want
			if want == nil {
				want = err
			}
			if got := pg.Translate(err, nil, rules); !errors.Is(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
