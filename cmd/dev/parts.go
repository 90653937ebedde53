package main

import (
	"context"
	"fmt"
	"os"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgserver"
	"github.com/insulahq/insula/platform/secret"
)

// parts brings up everything the server depends on and collects its settings.
type parts struct {
	settings settings
	secrets  secrets
	stack    *stack
	say      *progress
	compile  func(context.Context, target) (string, error)
	env      environment
	mailPage string
}

// start brings up the parts one after the other; only PostgreSQL takes long,
// and compiling, which runs beside it.
func (p *parts) start(ctx context.Context, s3Binary func() (string, error)) error {
	for _, step := range []func(context.Context) error{
		p.database, p.redis, p.mail,
		func(ctx context.Context) error { return p.s3(ctx, s3Binary) },
		p.server,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// database runs PostgreSQL, or takes the one that is given.
func (p *parts) database(ctx context.Context) error {
	if p.settings.given.database {
		p.env.take(os.LookupEnv, "DATABASE_URL", "INSULA_MIGRATOR_URL")
		p.say.line("using the PostgreSQL of DATABASE_URL")
		return nil
	}
	addr := p.settings.pg
	if addr.chosen {
		if _, err := claim(addr, "PostgreSQL", p.say); err != nil {
			return err
		}
	}
	server, running, err := startPostgres(ctx, p.say, pgserver.Options{
		Dir: p.settings.in("postgres"), Profile: pgserver.Durable,
		Port: addr.port, Password: p.secrets[secretPGSuperuser],
	})
	if err != nil {
		return err
	}
	p.stack.add(running)
	app, migrator, err := pg.Bootstrap(ctx, server.URL("postgres"), pg.BootstrapParams{
		Database:         database,
		AppPassword:      secret.New(p.secrets[secretPGApp]),
		MigratorPassword: secret.New(p.secrets[secretPGMigrator]),
	})
	if err != nil {
		return fmt.Errorf("make the database and its roles: %w", err)
	}
	p.env.set("DATABASE_URL", app)
	p.env.set("INSULA_MIGRATOR_URL", migrator)
	return nil
}

// redis runs Redis, or takes the one that is given.
func (p *parts) redis(context.Context) error {
	if p.settings.given.redis {
		p.env.take(os.LookupEnv, "REDIS_URL")
		p.say.line("using the Redis of REDIS_URL")
		return nil
	}
	addr, err := claim(p.settings.redis, "Redis", p.say)
	if err != nil {
		return err
	}
	url, running, err := startRedis(addr, p.secrets[secretRedis], p.say)
	if err != nil {
		return err
	}
	p.stack.add(running)
	p.env.set("REDIS_URL", url)
	return nil
}

// mail runs the mail sink, or takes the mail server that is given.
func (p *parts) mail(context.Context) error {
	p.env.setDefault(os.LookupEnv, "INSULA_MAIL_FROM", "Insula <no-reply@insula.localhost>")
	if p.settings.given.mail {
		p.env.take(os.LookupEnv, "SMTP_URL")
		p.say.line("using the mail server of SMTP_URL")
		return nil
	}
	addr, err := claim(p.settings.mail, "the mail page", p.say)
	if err != nil {
		return err
	}
	sink, err := claim(p.settings.smtp, "the mail sink", p.say)
	if err != nil {
		return err
	}
	url, running, err := startMail(sink, addr, p.settings.in("mail"), p.secrets[secretSMTP])
	if err != nil {
		return err
	}
	p.stack.add(running)
	p.env.set("SMTP_URL", url)
	p.mailPage = addr.local() + "/"
	return nil
}

// s3 runs the S3 server, or takes the service that is given.
func (p *parts) s3(ctx context.Context, binary func() (string, error)) error {
	if p.settings.given.s3 {
		p.env.take(os.LookupEnv, "S3_ENDPOINT", "S3_PUBLIC_ENDPOINT", "S3_REGION", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_PATH_STYLE")
		p.say.line("using the S3 service of S3_ENDPOINT")
		return nil
	}
	file, err := binary()
	if err != nil {
		return err
	}
	addr, err := claim(p.settings.s3, "S3", p.say)
	if err != nil {
		return err
	}
	server := s3Server{
		binary: file, dir: p.settings.in("s3"), log: p.settings.in("log", "s3.log"), addr: addr,
		accessKey: p.secrets[secretS3Access], secretKey: p.secrets[secretS3Secret],
	}
	running, err := server.start(ctx)
	if err != nil {
		return err
	}
	p.stack.add(running)
	if err := server.makeBucket(ctx); err != nil {
		return err
	}
	p.say.line("S3 answers on port %d", addr.port)
	p.env.set("S3_ENDPOINT", server.endpoint())
	p.env.set("S3_REGION", s3Region)
	p.env.set("S3_BUCKET", s3Bucket)
	p.env.set("S3_ACCESS_KEY", server.accessKey)
	p.env.set("S3_SECRET_KEY", server.secretKey)
	p.env.set("S3_PATH_STYLE", "true")
	return nil
}

// server settles where the server will listen and the keys it will use.
func (p *parts) server(context.Context) error {
	var err error
	if p.settings.http, err = claim(p.settings.http, "the API", p.say); err != nil {
		return err
	}
	if p.settings.admin, err = claim(p.settings.admin, "the private listener", p.say); err != nil {
		return err
	}
	p.env.set("INSULA_HTTP_ADDR", p.settings.http.String())
	p.env.set("INSULA_ADMIN_ADDR", p.settings.admin.String())
	p.env.setDefault(os.LookupEnv, "INSULA_PUBLIC_URL", p.settings.http.local())
	// Everything here comes from one machine: limits that protect a public
	// address would only stop a script.
	p.env.setDefault(os.LookupEnv, "INSULA_RATE_LOGIN", "6000")
	p.env.setDefault(os.LookupEnv, "INSULA_RATE_USER", "2000")
	p.env.setDefault(os.LookupEnv, "INSULA_RATE_TENANT", "5000")
	p.env.setDefault(os.LookupEnv, "INSULA_SECRET_KEY", p.secrets[secretKey])
	p.env.setDefault(os.LookupEnv, "INSULA_PASSWORD_PEPPER", p.secrets[secretPepper])
	return nil
}
