// Package pgserver runs a real PostgreSQL as a child process, for development
// and tests. It finds an installed PostgreSQL, makes a data directory, starts
// the server on a loopback port and stops it again.
//
//	server, err := pgserver.Start(ctx, pgserver.Options{Dir: ".data/postgres"})
//	defer server.Stop(ctx)
//	conn, err := pgx.Connect(ctx, server.URL("postgres"))
//
// PostgreSQL refuses to run as root. Started by root, the package therefore
// gives the child another user, see account.go.
//
// Nothing here belongs in production, where PostgreSQL is somebody's service
// and only its URL reaches the program.
package pgserver
