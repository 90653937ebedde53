package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The floor runs the statements of the users module as they stand in
// sql/queries/users/users.sql, with numbers for names.
const (
	findUser = `SELECT id, email, email_key, name, name_key, locale, time_zone, status, password_hash, second_factor, access_version, version, created_at, updated_at
FROM users
WHERE id = $1`
	listUsers = `SELECT id, email, email_key, name, name_key, locale, time_zone, status, password_hash, second_factor, access_version, version, created_at, updated_at
FROM users
WHERE (created_at, id) < ($1::timestamptz, $2::uuid)
  AND created_at >= $3 AND created_at < $4
  AND ($5::text IS NULL OR status = $5)
  AND ($6::text IS NULL OR starts_with(email_key, $6))
  AND ($7::uuid[] IS NULL OR id = ANY($7))
ORDER BY created_at DESC, id DESC
LIMIT $8`
)

// floorSettings reach the floor on its standard input, because they hold a
// password.
type floorSettings struct {
	DatabaseURL string `json:"database_url"`
	Schema      string `json:"schema"`
	MaxConns    int32  `json:"max_conns"`
}

// floorUser is a row, and what is shown of it.
type floorUser struct {
	ID            uuid.UUID `json:"id"`
	Email         string    `json:"email"`
	EmailKey      string    `json:"-"`
	Name          string    `json:"name"`
	NameKey       string    `json:"-"`
	Locale        string    `json:"-"`
	TimeZone      string    `json:"-"`
	Status        string    `json:"status"`
	PasswordHash  *string   `json:"-"`
	SecondFactor  bool      `json:"-"`
	AccessVersion int64     `json:"-"`
	Version       int64     `json:"-"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// serveFloor is the floor process: net/http, one pool, one schema, one query
// per request; no token, tenant, permission, limit, log or metric. It prints
// its address.
func serveFloor(ctx context.Context, in io.Reader, out io.Writer) error {
	var s floorSettings
	if err := json.NewDecoder(in).Decode(&s); err != nil {
		return fmt.Errorf("floor: read the settings: %w", err)
	}
	cfg, err := pgxpool.ParseConfig(s.DatabaseURL)
	if err != nil {
		return fmt.Errorf("floor: database URL: %w", err)
	}
	cfg.MaxConns = s.MaxConns
	cfg.ConnConfig.RuntimeParams["search_path"] = s.Schema
	cfg.ConnConfig.RuntimeParams["application_name"] = floorName
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("floor: database pool: %w", err)
	}
	defer pool.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/users/{id}", func(w http.ResponseWriter, r *http.Request) { getUser(w, r, pool) })
	mux.HandleFunc("GET /v1/users", func(w http.ResponseWriter, r *http.Request) { getUsers(w, r, pool) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: answerLimit}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if _, err := fmt.Fprintln(out, l.Addr()); err != nil {
		return err
	}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func getUser(w http.ResponseWriter, r *http.Request, pool *pgxpool.Pool) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		http.Error(w, "no id", http.StatusBadRequest)
		return
	}
	rows, err := pool.Query(r.Context(), findUser, id)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	u, err := pgx.CollectExactlyOneRow(rows, scanUser)
	answer(w, u, err)
}

// floorPage is how many users the floor lists, and one to know if there are
// more.
const floorPage = 50

func getUsers(w http.ResponseWriter, r *http.Request, pool *pgxpool.Pool) {
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	rows, err := pool.Query(r.Context(), listUsers, far, uuid.Max, time.Time{}, far, nil, nil, nil, floorPage+1)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	all, err := pgx.CollectRows(rows, scanUser)
	answer(w, map[string]any{"items": all[:min(len(all), floorPage)]}, err)
}

// scanUser reads a row as generated code does, without reflection.
func scanUser(row pgx.CollectableRow) (floorUser, error) {
	var u floorUser
	return u, row.Scan(&u.ID, &u.Email, &u.EmailKey, &u.Name, &u.NameKey, &u.Locale, &u.TimeZone, &u.Status,
		&u.PasswordHash, &u.SecondFactor, &u.AccessVersion,
		&u.Version, &u.CreatedAt, &u.UpdatedAt)
}

func answer(w http.ResponseWriter, body any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
