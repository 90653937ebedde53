package pg

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// QueueSchema holds the tables of the job queue, beside the control schema.
const QueueSchema = "river"

// upgradeQueue brings the job queue's own tables to the version its library
// wants, and lets the application's role use them.
func (m *Migrator) upgradeQueue(ctx context.Context) error {
	if _, err := m.pool.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+ident(QueueSchema)); err != nil {
		return err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(m.pool), &rivermigrate.Config{
		Schema: QueueSchema, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("job queue: %w", err)
	}
	return pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		app := ident(AppRole)
		return execAll(ctx, tx, []string{
			"GRANT USAGE ON SCHEMA river TO " + app,
			"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA river TO " + app,
			"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA river TO " + app,
		})
	})
}
