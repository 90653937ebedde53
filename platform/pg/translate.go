package pg

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/insulahq/insula/platform/errs"
)

// Rules map the name of a constraint to the error its violation means. They
// live beside the repository whose tables have the constraints.
type Rules map[string]*errs.Error

// Translate turns what the database answered into a declared error where
// there is one: no row becomes missing (when given), a violated constraint
// what rules say, an unreachable database errs.ErrUnavailable. Everything
// else, and what is declared already, is returned as it is.
func Translate(err error, missing *errs.Error, rules Rules) error {
	if _, declared := errs.As(err); declared || err == nil {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) && missing != nil {
		return missing
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return translateServer(pe, rules)
	}
	if errors.Is(err, errClosed) || errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	var refused *pgconn.ConnectError
	switch {
	case errors.As(err, &refused): // also when it was the connecting that took too long
		return errs.ErrUnavailable.Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return errs.ErrTimeout.Because(err)
	case lost(err):
		return errs.ErrUnavailable.Because(err)
	}
	return err
}

// lost reports that the connection broke under way: then the server had no
// chance to say why, and the system says it in its own words.
func lost(err error) bool {
	var broken net.Error
	return pgconn.SafeToRetry(err) || errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF)
}

func translateServer(pe *pgconn.PgError, rules Rules) error {
	if known, ok := rules[constraintOf(pe)]; ok {
		return known.Because(pe)
	}
	switch {
	case pe.Code == lockTimeout:
		return errs.ErrUnavailable.Because(pe)
	case pe.Code == cancelled:
		return errs.ErrTimeout.Because(pe)
	case strings.HasPrefix(pe.Code, "08"), // connection lost on the way to the data
		pe.Code == "57P01", pe.Code == "57P02", pe.Code == "57P03", // server going down or coming up
		pe.Code == "53300": // too many connections
		return errs.ErrUnavailable.Because(pe)
	}
	return pe
}

const (
	// lockTimeout is the code of having waited too long for a lock.
	lockTimeout = "55P03"
	// cancelled is the code of having been ended, by statement_timeout or the caller.
	cancelled = "57014"
)

var (
	violated    = regexp.MustCompile(`violates (?:\w+ ){1,2}constraint "([^"]+)"`)
	shardSuffix = regexp.MustCompile(`_\d{5,}$`)
)

// constraintOf names the violated constraint. Distributed PostgreSQL (Citus)
// leaves the field empty and puts the name, with a shard number, into the
// message; where it moves rows between servers it even loses the code.
func constraintOf(pe *pgconn.PgError) string {
	if pe.ConstraintName != "" {
		return shardSuffix.ReplaceAllString(pe.ConstraintName, "")
	}
	if !strings.HasPrefix(pe.Code, "23") && pe.Code != "XX000" {
		return ""
	}
	if m := violated.FindStringSubmatch(pe.Message); m != nil {
		return shardSuffix.ReplaceAllString(m[1], "")
	}
	return ""
}

// repeatable reports that the database rolled the transaction back for a
// reason that is gone by the next try.
func repeatable(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return false
	}
	switch pe.Code {
	case "40001", "40P01", lockTimeout:
		return true
	}
	return false
}
