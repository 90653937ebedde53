package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// watched is how many tenants are made while a bystander looks on.
const watched = 16

// bystanders says what it costs a backend of the application, which opens a
// transaction in some tenant's role after each, that tenants are made: each
// with a role of its own, and from a stock whose roles came together.
func (m *maker) bystanders(ctx context.Context, when string) error {
	conn, err := pgx.Connect(ctx, m.d.app)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	b := bystander{conn: conn}
	if err := b.conn.QueryRow(ctx, "SELECT schema_name FROM control.tenants LIMIT 1").Scan(&b.role); err != nil {
		return err
	}
	for _, spare := range []bool{false, true} {
		what := "backend, a tenant with a role of its own"
		if spare {
			what = fmt.Sprintf("backend, a tenant from a stock of %d", watched)
			if err := m.fill(ctx, watched); err != nil {
				return err
			}
		}
		var used, took time.Duration
		for range watched {
			if err := m.tenant(ctx, m.d.now, spare); err != nil {
				return err
			}
			cpu, elapsed, err := b.open(ctx)
			if err != nil {
				return err
			}
			used, took = used+cpu, took+elapsed
		}
		each := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / watched }
		fmt.Printf("%-42s %s: %.2f ms of processor time, %.2f ms elapsed for the next opening\n", what, when, each(used), each(took))
	}
	return nil
}

// bystander is a backend of the application.
type bystander struct {
	conn *pgx.Conn
	role string
}

// open opens a transaction as a unit of work does, and returns the processor
// time of the backend and the time that passed.
func (b bystander) open(ctx context.Context) (cpu, elapsed time.Duration, err error) {
	before, err := b.used()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if _, err := b.conn.Exec(ctx, "SELECT set_config('role', $1, true)", b.role); err != nil {
		return 0, 0, err
	}
	elapsed = time.Since(start)
	after, err := b.used()
	return after - before, elapsed, err
}

// used is the processor time that the backend has had.
func (b bystander) used() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", b.conn.PgConn().PID()))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseInt(first, 10, 64)
	return time.Duration(n), err
}
