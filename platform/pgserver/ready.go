package pgserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// probeEvery is the pause between two attempts to connect.
	probeEvery = 20 * time.Millisecond
	// startLimit is how long a server may stay silent after its start.
	startLimit = 60 * time.Second
	// recoveryLimit is how long it may take to recover from a crash.
	recoveryLimit = 10 * time.Minute
	// tellEvery is the pause between two words about a long recovery.
	tellEvery = 5 * time.Second

	codeStartingUp      = "57P03" // cannot_connect_now
	codeInvalidPassword = "28P01"
)

// await connects until the server answers, and gives up when it ends, stays
// silent, or refuses the password.
func (s *Server) await(ctx context.Context, say func(string)) error {
	began := time.Now()
	told := began
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		err := s.probe(ctx)
		if err == nil {
			return nil
		}
		var answer *pgconn.PgError
		limit := startLimit
		if errors.As(err, &answer) {
			switch answer.Code {
			case codeInvalidPassword:
				return errors.New("the data was made with another password: restore the secrets it was made with, or remove the data (make reset-data)")
			case codeStartingUp:
				limit = recoveryLimit
			}
		}
		if time.Since(told) > tellEvery {
			told = time.Now()
			say(fmt.Sprintf("PostgreSQL is starting, %d s so far: %v", int(time.Since(began).Seconds()), err))
		}
		if time.Since(began) > limit {
			return fmt.Errorf("PostgreSQL did not answer within %s: %w", limit, err)
		}
		select {
		case <-s.process.Done():
			return fmt.Errorf("PostgreSQL ended while starting: %v", s.process.Err())
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// probe opens and closes one connection.
func (s *Server) probe(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url("postgres", s.firstPassword()))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// firstPassword is the one that opens a server just started.
func (s *Server) firstPassword() string {
	if s.cluster.profile == Throwaway {
		return cachePassword
	}
	return s.password
}

// setPassword replaces the password that came with the cached data directory.
func (s *Server) setPassword(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url("postgres", cachePassword))
	if err != nil {
		return fmt.Errorf("set the superuser's password: %w", err)
	}
	defer conn.Close(ctx)
	// ALTER ROLE takes no parameters: the server quotes, and nothing is logged.
	var statement string
	if err := conn.QueryRow(ctx, "SELECT format('ALTER ROLE %I PASSWORD %L', current_user, $1::text)", s.password).Scan(&statement); err != nil {
		return fmt.Errorf("set the superuser's password: %w", err)
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("set the superuser's password: %w", err)
	}
	return nil
}
