// Package infra keeps users, sessions, tokens and signing keys in PostgreSQL,
// hashes passwords, and delivers invitations.
package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

var rules = pg.Rules{"users_email_key": domain.ErrEmailTaken.At("#/email", "is used by someone else")}

// Users implements domain.Repository.
type Users struct{ q *usersdb.Queries }

// NewUsers makes the repository of users.
func NewUsers() *Users { return &Users{q: usersdb.New()} }

// Insert implements domain.Repository.
func (r *Users) Insert(ctx context.Context, tx uow.Tx, u domain.User) error {
	return pg.Translate(r.q.InsertUser(ctx, pg.DB(tx), usersdb.InsertUserParams{
		ID: u.ID, Email: u.Email.String(), EmailKey: u.Email.Key(), Name: u.Name, NameKey: u.NameKey(),
		Locale: u.Locale, TimeZone: u.TimeZone, Status: string(u.Status),
		PasswordHash: nullable(u.PasswordHash.Reveal()), SecondFactor: u.SecondFactor,
		AccessVersion: u.AccessVersion, Version: u.Version, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}), nil, rules)
}

// Find implements domain.Repository.
func (r *Users) Find(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.User, error) {
	row, err := r.q.FindUser(ctx, pg.DB(tx), id)
	return toUser(row), pg.Translate(err, domain.ErrNotFound, nil)
}

// FindByEmail implements domain.Repository.
func (r *Users) FindByEmail(ctx context.Context, tx uow.Tx, e domain.Email) (domain.User, error) {
	row, err := r.q.FindUserByEmail(ctx, pg.DB(tx), e.Key())
	return toUser(row), pg.Translate(err, domain.ErrNotFound, nil)
}

// Lock implements domain.Repository.
func (r *Users) Lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.User, error) {
	row, err := r.q.LockUser(ctx, pg.DB(tx), id)
	return toUser(row), pg.Translate(err, domain.ErrNotFound, nil)
}

// Save implements domain.Repository.
func (r *Users) Save(ctx context.Context, tx uow.Tx, u domain.User) (domain.User, error) {
	n, err := r.q.UpdateUser(ctx, pg.DB(tx), usersdb.UpdateUserParams{
		ID: u.ID, Email: u.Email.String(), EmailKey: u.Email.Key(), Name: u.Name, NameKey: u.NameKey(),
		Locale: u.Locale, TimeZone: u.TimeZone, Status: string(u.Status),
		PasswordHash: nullable(u.PasswordHash.Reveal()), SecondFactor: u.SecondFactor,
		AccessVersion: u.AccessVersion, Version: u.Version, UpdatedAt: u.UpdatedAt,
	})
	if err := r.missed(ctx, tx, u.ID, n, err); err != nil {
		return domain.User{}, err
	}
	u.Version++
	return u, nil
}

// Rehash implements domain.Repository.
func (r *Users) Rehash(ctx context.Context, tx uow.Tx, id uuid.UUID, hash secret.Value) error {
	return pg.Translate(r.q.RehashPassword(ctx, pg.DB(tx), hash.Reveal(), id), nil, nil)
}

// Delete implements domain.Repository.
func (r *Users) Delete(ctx context.Context, tx uow.Tx, u domain.User) error {
	n, err := r.q.DeleteUser(ctx, pg.DB(tx), u.ID, u.Version)
	return r.missed(ctx, tx, u.ID, n, err)
}

// missed explains a change that found no row: the user is gone, or is at
// another version.
func (r *Users) missed(ctx context.Context, tx uow.Tx, id uuid.UUID, rows int64, err error) error {
	if err != nil || rows > 0 {
		return pg.Translate(err, nil, rules)
	}
	if _, err := r.Find(ctx, tx, id); err != nil {
		return err
	}
	return errs.ErrPreconditionFailed
}

func toUser(row usersdb.User) domain.User {
	u := domain.User{
		ID: row.ID, Email: domain.KnownEmail(row.Email), Name: row.Name, Locale: row.Locale, TimeZone: row.TimeZone,
		Status: domain.Status(row.Status), SecondFactor: row.SecondFactor, AccessVersion: row.AccessVersion, Version: row.Version,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if row.PasswordHash != nil {
		u.PasswordHash = secret.New(*row.PasswordHash)
	}
	return u
}

// nullable stores an empty text as NULL.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
