package infra_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// signedIn stores an active user with n sessions, each an hour older than
// the one before.
func signedIn(t *testing.T, f pgtest.Fixture, email string, n int) (domain.User, []domain.Session) {
	t.Helper()
	u := registered(t, email)
	u.Status = domain.Active
	sessions := make([]domain.Session, n)
	f.Write(t, func(tx uow.Tx) error {
		if err := infra.NewUsers().Insert(t.Context(), tx, u); err != nil {
			return err
		}
		for i := range sessions {
			began := noon.Add(-time.Duration(i) * time.Hour)
			sessions[i] = domain.Session{
				ID: newID(), UserID: u.ID, CreatedAt: began, LastUsedAt: began, ExpiresAt: began.Add(24 * time.Hour),
				Address: "192.0.2.7", Client: "test",
			}
			if err := infra.NewSessions().Insert(t.Context(), tx, sessions[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return u, sessions
}

func TestLiveSessionsArePaged(t *testing.T) {
	t.Parallel()
	f, repo := pgtest.Tenant(t), infra.NewSessions()
	u, sessions := signedIn(t, f, "ada@example.com", 5)
	other, _ := signedIn(t, f, "bob@example.com", 2)
	now := noon.Add(20 * time.Hour) // the oldest expired at noon + 20 h
	f.Write(t, func(tx uow.Tx) error { return repo.End(t.Context(), tx, u.ID, sessions[1].ID, now) })

	var got []uuid.UUID
	r := page.Request{Limit: 2}
	for {
		var p page.Page[domain.Session]
		f.Read(t, func(tx uow.Tx) (err error) {
			p, err = repo.ListLive(t.Context(), tx, u.ID, now, lifetimes, r)
			return err
		})
		for _, s := range p.Items {
			got = append(got, s.ID)
		}
		if p.Next == nil {
			break
		}
		r.After = p.Next
	}
	want := []uuid.UUID{sessions[0].ID, sessions[2].ID, sessions[3].ID}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
	err := try(t, f, func(tx uow.Tx) error { return repo.End(t.Context(), tx, other.ID, sessions[0].ID, now) })
	if !errors.Is(err, domain.ErrSessionNotFound) {
		t.Errorf("ended somebody else's session: %v", err)
	}
}

func TestGatekeeper(t *testing.T) {
	t.Parallel()
	f, repo := pgtest.Tenant(t), infra.NewSessions()
	now := clock.At(noon)
	keeper := infra.NewGatekeeper(policy{}, unset{}, now)
	u, sessions := signedIn(t, f, "ada@example.com", 3)
	ask := func(id uuid.UUID) (gate.Session, error) {
		var s gate.Session
		err := f.Unit().Read(t.Context(), func(tx uow.Tx) (err error) {
			s, err = keeper.Session(t.Context(), tx, f.Tenant, id)
			return err
		})
		return s, err
	}
	live := func(id uuid.UUID, want bool) {
		t.Helper()
		got, err := ask(id)
		if err != nil || got.Live != want || got.UserID != u.ID || got.Label != "ada@example.com" || got.AccessVersion != 1 {
			t.Errorf("got %+v, %v; want live %v", got, err, want)
		}
	}
	live(sessions[0].ID, true)
	live(sessions[2].ID, true)
	f.Write(t, func(tx uow.Tx) error { return repo.End(t.Context(), tx, u.ID, sessions[2].ID, noon) })
	live(sessions[2].ID, false)

	now.Set(sessions[0].ExpiresAt.Add(-time.Microsecond))
	live(sessions[0].ID, true)
	now.Set(sessions[0].ExpiresAt)
	live(sessions[0].ID, false)

	now.Set(noon)
	u.Status = domain.Suspended
	f.Write(t, func(tx uow.Tx) error { _, err := infra.NewUsers().Save(t.Context(), tx, u); return err })
	live(sessions[0].ID, false)

	if _, err := ask(newID()); !errors.Is(err, errs.ErrUnauthenticated) {
		t.Errorf("unknown session: %v", err)
	}
}

func TestEndAllSparesOne(t *testing.T) {
	t.Parallel()
	f, repo := pgtest.Tenant(t), infra.NewSessions()
	u, sessions := signedIn(t, f, "ada@example.com", 3)
	other, _ := signedIn(t, f, "bob@example.com", 1)
	f.Write(t, func(tx uow.Tx) error { return repo.EndAll(t.Context(), tx, u.ID, sessions[1].ID, noon) })
	f.Read(t, func(tx uow.Tx) error {
		mine, err := repo.ListLive(t.Context(), tx, u.ID, noon, lifetimes, page.Request{Limit: 9})
		theirs, err2 := repo.ListLive(t.Context(), tx, other.ID, noon, lifetimes, page.Request{Limit: 9})
		if len(mine.Items) != 1 || mine.Items[0].ID != sessions[1].ID || len(theirs.Items) != 1 {
			t.Errorf("%d of mine and %d of another user's are left", len(mine.Items), len(theirs.Items))
		}
		return errors.Join(err, err2)
	})
}

func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	f, repo := pgtest.Tenant(t), infra.NewSessions()
	u, sessions := signedIn(t, f, "ada@example.com", 1)
	digest := domain.DigestOf(secret.New("token"))
	find := func(d domain.Digest) (domain.Refresh, error) {
		var r domain.Refresh
		err := try(t, f, func(tx uow.Tx) (err error) {
			r, err = repo.LockToken(t.Context(), tx, d)
			return err
		})
		return r, err
	}
	if _, err := find(digest); !errors.Is(err, domain.ErrRefreshToken) {
		t.Fatalf("unknown token: %v", err)
	}
	f.Write(t, func(tx uow.Tx) error { return repo.AddToken(t.Context(), tx, digest, sessions[0].ID, noon) })
	if r, err := find(digest); err != nil || r.UsedAt != nil || r.Session != sessions[0] || !sameUser(r.User, u) {
		t.Fatalf("got %+v, %v", r, err)
	}
	used := noon.Add(time.Minute)
	f.Write(t, func(tx uow.Tx) error { return repo.UseToken(t.Context(), tx, digest, sessions[0].ID, used) })
	r, err := find(digest)
	if err != nil || r.UsedAt == nil || !r.UsedAt.Equal(used) || !r.Session.LastUsedAt.Equal(used) {
		t.Fatalf("got %+v, %v", r, err)
	}
}

func TestOneTimeTokens(t *testing.T) {
	t.Parallel()
	f, repo := pgtest.Tenant(t), infra.NewOneTimeTokens()
	u, _ := signedIn(t, f, "ada@example.com", 0)
	put := func(text string) domain.OneTimeToken {
		token := domain.OneTimeToken{
			Digest: domain.DigestOf(secret.New(text)), UserID: u.ID, Purpose: domain.ForInvitation,
			CreatedAt: noon, ExpiresAt: noon.Add(time.Hour),
		}
		f.Write(t, func(tx uow.Tx) error { return repo.Put(t.Context(), tx, token) })
		return token
	}
	take := func(d domain.Digest) (domain.OneTimeToken, error) {
		var token domain.OneTimeToken
		err := try(t, f, func(tx uow.Tx) (err error) {
			token, err = repo.Take(t.Context(), tx, d, domain.ForInvitation)
			return err
		})
		return token, err
	}
	first, second := put("first"), put("second")
	if _, err := take(first.Digest); !errors.Is(err, domain.ErrInvitation) {
		t.Errorf("a replaced token: %v", err)
	}
	if got, err := take(second.Digest); err != nil || got != second {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := take(second.Digest); !errors.Is(err, domain.ErrInvitation) {
		t.Errorf("a taken token: %v", err)
	}
	third := put("third")
	f.Write(t, func(tx uow.Tx) error { return repo.Drop(t.Context(), tx, u.ID, domain.ForInvitation) })
	if _, err := take(third.Digest); !errors.Is(err, domain.ErrInvitation) {
		t.Errorf("a dropped token: %v", err)
	}
}
