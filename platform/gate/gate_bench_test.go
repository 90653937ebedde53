package gate_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/benchtest"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

const (
	issuer   = "https://insula.example.com"
	audience = "insula-api"
	email    = "ada@acme.example"

	// sessionState reads what the users module reads for the gate.
	sessionState = `SELECT s.user_id, u.email, u.access_version,
		(s.ended_at IS NULL AND s.expires_at > $2 AND u.status = 'active')::boolean
		FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1`
)

// sessions implements gate.Sessions over the tenant's tables.
type sessions struct{ clock clock.Clock }

func (s sessions) Session(ctx context.Context, tx uow.Tx, _ tenancy.Tenant, id uuid.UUID) (gate.Session, error) {
	return scanSession(pg.DB(tx).QueryRow(ctx, sessionState, id, s.clock.Now()))
}

// noKeys knows no API key.
type noKeys struct{}

func (noKeys) KeyTenant(string) (uuid.UUID, bool) { return uuid.Nil, false }
func (noKeys) Key(context.Context, uow.Tx, tenancy.Tenant, string) (gate.Key, error) {
	return gate.Key{}, errs.ErrUnauthenticated
}
func (noKeys) TouchKey(context.Context, uow.Tx, uuid.UUID) error { return nil }

func scanSession(row interface{ Scan(...any) error }) (s gate.Session, err error) {
	return s, row.Scan(&s.UserID, &s.Label, &s.AccessVersion, &s.Live)
}

// resolver counts how often it is asked: not for whoever is remembered.
type resolver struct{ calls int }

func (r *resolver) Grants(context.Context, uow.Tx, tenancy.Tenant, uuid.UUID, int64) (*authn.Grants, error) {
	r.calls++
	return authn.NewGrants([]string{"member"}, map[string]string{"users.get": "member"}), nil
}

// directory knows one tenant.
type directory struct{ tenancy.Tenant }

func (d directory) ByID(context.Context, uuid.UUID) (tenancy.Tenant, error) { return d.Tenant, nil }
func (d directory) BySlug(context.Context, string) (tenancy.Tenant, error)  { return d.Tenant, nil }

// BenchmarkAdmit lets in a caller whose token and grants are remembered, which
// costs one query. The floor is the unit of work with that query alone.
func BenchmarkAdmit(b *testing.B) {
	f, ctx, now := pgtest.Tenant(b), b.Context(), clock.System{}
	user, session := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	f.Write(b, func(tx uow.Tx) error { return signIn(ctx, tx, user, session, now.Now()) })
	verifier, token := issue(b, f.Tenant.ID, user, session, now)
	known := &resolver{}
	g := gate.New(verifier, tenancy.NewLive(directory{f.Tenant}, 10, time.Hour, func(bool) {}), f.Pool, sessions{now}, noKeys{}, nil, known, nil, now, nil)

	admit := func() error {
		bearer, err := g.Recognize(token)
		if err != nil {
			return err
		}
		r, err := g.Admit(ctx, bearer, tenancy.Hints{Header: f.Tenant.Slug}, authn.Origin{})
		if err == nil && r.Caller.Label != email {
			b.Fatalf("let in %q", r.Caller.Label)
		}
		return err
	}
	floor := func() error {
		return f.Unit().Read(ctx, func(tx uow.Tx) error {
			_, err := sessions{now}.Session(ctx, tx, f.Tenant, session)
			return err
		})
	}
	benchtest.Compare(b, floor, admit)
	if known.calls != 1 {
		b.Errorf("grants were resolved %d times", known.calls)
	}
}

func signIn(ctx context.Context, tx uow.Tx, user, session uuid.UUID, now time.Time) error {
	_, err := pg.DB(tx).Exec(ctx, `INSERT INTO users
		(id, email, email_key, name, status, access_version, version, created_at, updated_at)
		VALUES ($1, $2, $2, 'Ada', 'active', 1, 1, $3, $3)`, user, email, now)
	if err != nil {
		return err
	}
	_, err = pg.DB(tx).Exec(ctx, `INSERT INTO sessions
		(id, user_id, created_at, last_used_at, expires_at, address, client)
		VALUES ($1, $2, $3, $3, $4, '', '')`, session, user, now, now.Add(time.Hour))
	return err
}

func issue(b *testing.B, tenant, user, session uuid.UUID, c clock.Clock) (*jwtx.Verifier, string) {
	b.Helper()
	key, err := jwtx.GenerateKey(rand.NewChaCha8([32]byte{1}))
	if err != nil {
		b.Fatal(err)
	}
	keys, err := jwtx.NewKeySet(key)
	if err != nil {
		b.Fatal(err)
	}
	verifier, err := jwtx.NewVerifier(keys, jwtx.Options{Issuer: issuer, Audience: audience, Leeway: time.Second, Clock: c})
	if err != nil {
		b.Fatal(err)
	}
	now := c.Now()
	token, err := jwtx.NewSigner(keys, issuer, audience).Sign(jwtx.Claims{
		TenantID: tenant, Subject: user, SessionID: session, ID: uuid.Must(uuid.NewV7()),
		IssuedAt: now, NotBefore: now, Expires: now.Add(time.Hour),
	})
	if err != nil {
		b.Fatal(err)
	}
	return verifier, token
}
