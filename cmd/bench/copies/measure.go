package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/s3x"
)

// fileSize is that of each file, in bytes.
const fileSize = 1 << 20

// measure makes a tenant of a size, and every copy of it.
func (h *house) measure(ctx context.Context, o options) error {
	slug := fmt.Sprintf("bench-%d", o.rows)
	if _, err := h.insula(ctx, "tenant", "create", "--slug", slug, "--name", "Bench", "--admin-email", "a@bench.example"); err != nil {
		return err
	}
	if err := h.fill(ctx, slug, o); err != nil {
		return fmt.Errorf("fill %s: %w", slug, err)
	}
	backed, err := h.insula(ctx, "tenant", "backup", slug, "--wait", "--json")
	if err != nil {
		return err
	}
	var said struct {
		Backup struct {
			ID          string
			Size        int64
			Rows, Files int64
			FileBytes   int64 `json:"file_bytes"`
		}
	}
	if err := json.Unmarshal([]byte(backed.out), &said); err != nil {
		return fmt.Errorf("insula tenant backup printed %s: %w", backed.out, err)
	}
	rows, err := h.bytesOf(ctx, slug)
	if err != nil {
		return err
	}
	b := said.Backup
	fmt.Printf("\n%d rows (%.0f MB of tables), %d files (%.0f MB); archive of %.0f MB\n", b.Rows, mega(rows), b.Files, mega(b.FileBytes), mega(b.Size))
	fmt.Printf("%-18s %9s %9s %12s\n", "", "seconds", "MB/s", "peak, MB")
	report := func(what string, r ran) {
		fmt.Printf("%-18s %9.1f %9.1f %12.0f\n", what, r.took.Seconds(), mega(rows+b.FileBytes)/r.took.Seconds(), mega(r.peak))
	}
	report("backup", backed)
	for _, c := range []struct {
		what string
		args []string
	}{
		{"restore as new", []string{"tenant", "restore", slug, "--backup", b.ID, "--as", slug + "-again", "--wait"}},
		{"restore in place", []string{"tenant", "restore", slug, "--backup", b.ID, "--in-place", "--wait"}},
		{"clone", []string{"tenant", "clone", slug, "--as", slug + "-twin", "--wait"}},
	} {
		r, err := h.insula(ctx, c.args...)
		if err != nil {
			return err
		}
		report(c.what, r)
	}
	return nil
}

func mega(n int64) float64 { return float64(n) / 1e6 }

// fill gives a tenant rows and files.
func (h *house) fill(ctx context.Context, slug string, o options) error {
	var tenant uuid.UUID
	var schema string
	if err := h.inside.QueryRow(ctx, "SELECT id, schema_name FROM control.tenants WHERE slug = $1", slug).Scan(&tenant, &schema); err != nil {
		return err
	}
	if _, err := h.inside.Exec(ctx, "SELECT set_config('search_path', $1, false)", schema); err != nil {
		return err
	}
	// A row of COPY has about half a kilobyte, none of which compresses well.
	_, err := h.inside.Exec(ctx, `INSERT INTO users (id, email, email_key, name, name_key, locale, time_zone, status, second_factor, access_version, version, created_at, updated_at)
		SELECT gen_random_uuid(), 'user-' || n || '@bench.example', 'user-' || n || '@bench.example', text, text, '', '', 'active', false, 1, 1, now(), now()
		FROM (SELECT n, md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) || md5((n + 3)::text) || md5((n + 4)::text) AS text FROM generate_series(1, $1) n) rows`, o.rows)
	if err != nil {
		return err
	}
	files := &pgx.Batch{}
	content := make([]byte, fileSize)
	_, _ = rand.Read(content) // never fails
	for n := range o.files {
		object := uuid.New()
		content[0], content[1] = byte(n), byte(n>>8)
		if _, err := h.blobs.Put(ctx, s3x.TenantKey(tenant, object), bytes.NewReader(content), fileSize, "application/octet-stream"); err != nil {
			return err
		}
		files.Queue(`INSERT INTO files (id, line_id, folder, name, size, content_type, sha256, status, reason, object_id, metadata, owner_id, version, created_at, updated_at)
			VALUES ($1, $1, '', $2, $3, 'application/octet-stream', decode(repeat('00', 32), 'hex'), 'ready', '', $1, '{}', $1, 1, $4, $4)`,
			object, fmt.Sprintf("%d.bin", n), fileSize, time.Now())
	}
	return h.inside.SendBatch(ctx, files).Close()
}

// bytesOf is what the tables of a tenant take, without their indexes.
func (h *house) bytesOf(ctx context.Context, slug string) (n int64, err error) {
	err = h.inside.QueryRow(ctx, `SELECT sum(pg_table_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
		JOIN control.tenants t ON t.schema_name = s.nspname WHERE t.slug = $1 AND c.relkind = 'r'`, slug).Scan(&n)
	return n, err
}
