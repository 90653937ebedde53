package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
)

func vetCommand(p *project) *cobra.Command {
	var sqlc string
	cmd := &cobra.Command{
		Use:   "vet",
		Short: "Run sqlc vet: prepare and explain every query on a scratch database",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return p.withServer(ctx, func(s *server) error { return s.vet(ctx, sqlc, p.dir) })
		},
	}
	cmd.Flags().StringVar(&sqlc, "sqlc", "sqlc", "the sqlc program")
	return cmd
}

// vet lets sqlc make its databases on the server, and drops them afterwards: sqlc itself leaves them behind.
func (s *server) vet(ctx context.Context, sqlc, dir string) (err error) {
	admin, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return fmt.Errorf("connect to the scratch server: %w", err)
	}
	defer func() { err = errors.Join(err, admin.Close(context.WithoutCancel(ctx))) }()
	before, err := managed(ctx, admin)
	if err != nil {
		return err
	}
	address, err := onlyIndexes(s.config.ConnString())
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, sqlc, "vet")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SQLC_SERVER_URL="+address)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("sqlc vet: %w", err)
	}
	return errors.Join(err, dropManaged(context.WithoutCancel(ctx), admin, before))
}

// onlyIndexes makes every session of the address avoid plans that read whole tables. On empty tables PostgreSQL
// would choose them always; so it chooses one only where no index would do.
func onlyIndexes(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("the scratch server must be given as a URL")
	}
	q := u.Query()
	for _, setting := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin"} {
		q.Set(setting, "off")
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// managed lists the databases that sqlc has made on the server.
func managed(ctx context.Context, admin *pgx.Conn) ([]string, error) {
	rows, err := admin.Query(ctx, `SELECT datname FROM pg_database WHERE datname LIKE 'sqlc\_managed\_%'`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func dropManaged(ctx context.Context, admin *pgx.Conn, keep []string) error {
	all, err := managed(ctx, admin)
	if err != nil {
		return err
	}
	for _, name := range all {
		if slices.Contains(keep, name) {
			continue
		}
		if _, err := admin.Exec(ctx, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}
