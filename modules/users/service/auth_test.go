package service_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, _ := h.join(t, "ada@example.com")
	s, records := h.auth(t)
	in, err := s.Login(t.Context(), service.Credentials{Email: " ADA@example.com", Password: secret.New(password)})
	if err != nil {
		t.Fatal(err)
	}
	tokens := in.Tokens
	claims, err := h.verifier.Verify(tokens.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if claims.Subject != p.ID || claims.TenantID != h.Tenant.ID || !claims.Expires.Equal(noon.Add(lifetimes.Access)) || tokens.ExpiresIn != lifetimes.Access {
		t.Errorf("claims %+v, expires in %s", claims, tokens.ExpiresIn)
	}
	if !h.live(t, tokens) {
		t.Error("the session is not live")
	}
	e := only(t, records, tokens.Access, tokens.Refresh)
	if e.Operation != "auth.login" || e.Outcome != op.Done || e.Target.ID != p.ID.String() || e.Target.Label != "ada@example.com" {
		t.Errorf("trail %+v", e)
	}
}

func TestLoginRefusesAllAlike(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(t, "ada@example.com")
	suspended, _ := h.join(t, "sue@example.com")
	h.invite(t, "ivy@example.com")
	s, _ := h.users(t, owner())
	if _, err := s.Suspend(t.Context(), suspended.ID); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, email, password string
		known                 bool
	}{
		{"wrong password", "ada@example.com", password + "x", true},
		{"empty password", "ada@example.com", "", true},
		{"unknown", "bob@example.com", password, false},
		{"no address", "not an address", password, false},
		{"suspended", "sue@example.com", password, true},
		{"suspended, wrong password", "sue@example.com", "wrong", true},
		{"invited", "ivy@example.com", password, true},
		{"invited, empty password", "ivy@example.com", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, records := h.auth(t)
			before := h.hasher.count()
			tokens, err := s.Login(t.Context(), service.Credentials{Email: tc.email, Password: secret.New(tc.password)})
			if !errors.Is(err, domain.ErrCredentials) || err.Error() != domain.ErrCredentials.Error() || tokens != (service.SignIn{}) {
				t.Fatalf("got %v, %v", tokens, err)
			}
			if n := h.hasher.count() - before; n != 1 {
				t.Errorf("%d comparisons", n)
			}
			e := only(t, records)
			if e.Outcome != op.Failed || e.Code != "users.credentials" || e.Target.Label != map[bool]string{true: tc.email}[tc.known] {
				t.Errorf("trail %+v", e)
			}
		})
	}
}

// TestWhatHappensDuringALogin: comparing a password takes long enough for the
// user to change meanwhile.
func TestWhatHappensDuringALogin(t *testing.T) {
	t.Parallel()
	h := open(t)
	next := secret.New("another long password")
	for name, during := range map[string]func(p service.Person, tokens service.Tokens) error{
		"suspended": func(p service.Person, _ service.Tokens) error {
			s, _ := h.users(t, owner())
			_, err := s.Suspend(t.Context(), p.ID)
			return err
		},
		"removed": func(p service.Person, _ service.Tokens) error {
			s, _ := h.users(t, owner())
			return s.Delete(t.Context(), p.ID, domain.AnyVersion)
		},
		"got another password": func(_ service.Person, tokens service.Tokens) error {
			me, _ := h.me(t, h.caller(t, tokens))
			return me.SetPassword(t.Context(), secret.New(password), next)
		},
	} {
		email := strings.ReplaceAll(name, " ", "-") + "@example.com"
		p, tokens := h.join(t, email)
		h.hasher.during = func() {
			if err := during(p, tokens); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		s, _ := h.auth(t)
		if _, err := s.Login(t.Context(), service.Credentials{Email: email, Password: secret.New(password)}); !errors.Is(err, domain.ErrCredentials) {
			t.Errorf("%s during the login: %v", name, err)
		}
	}
}

// TestNoConnectionIsHeldWhileWaitingForAHash runs logins with a hasher that
// never has a free slot: they must not have opened a unit of work.
func TestNoConnectionIsHeldWhileWaitingForAHash(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := scope.Request{Tenant: h.Tenant}
	run, _ := optest.Runner(t, r, closedUnit{t}, h.clock)
	h.access.Hasher = busyHasher{}
	auth, me := service.NewAuth(r, run, h.access), service.NewMe(r, run, h.access)
	_, loginErr := auth.Login(t.Context(), service.Credentials{})
	_, acceptErr := auth.AcceptInvitation(t.Context(), service.Acceptance{})
	_, setUpErr := me.SetUpSecondFactor(t.Context(), secret.Value{})
	for what, err := range map[string]error{
		"login": loginErr, "accept": acceptErr, "password": me.SetPassword(t.Context(), secret.Value{}, secret.Value{}),
		"reset": auth.ResetPassword(t.Context(), secret.Value{}, secret.Value{}), "set up": setUpErr,
		"remove": me.RemoveSecondFactor(t.Context(), secret.Value{}), "address": me.ChangeEmail(t.Context(), "", secret.Value{}),
	} {
		if !errors.Is(err, errs.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

type busyHasher struct{}

func (busyHasher) Reserve(context.Context, uuid.UUID) (domain.HashSlot, error) {
	return nil, errs.ErrUnavailable
}

type closedUnit struct{ t *testing.T }

func (u closedUnit) fail() error {
	u.t.Error("a unit of work was opened")
	return errs.ErrInternal
}
func (u closedUnit) Read(context.Context, func(uow.Tx) error) error   { return u.fail() }
func (u closedUnit) Write(context.Context, func(uow.Tx) error) error  { return u.fail() }
func (u closedUnit) Look(context.Context, func(uow.Tx) error) error   { return u.fail() }
func (u closedUnit) Record(context.Context, func(uow.Tx) error) error { return u.fail() }

func (h *house) refresh(t *testing.T, token secret.Value) (service.Tokens, error) {
	s, _ := h.auth(t)
	return s.Refresh(t.Context(), token)
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, first := h.join(t, "ada@example.com")
	session := h.caller(t, first).Session
	h.clock.Advance(time.Hour)
	s, records := h.auth(t)
	second, err := s.Refresh(t.Context(), first.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.caller(t, second); second.Refresh.Equal(first.Refresh) || got.ID != p.ID || got.Session != session {
		t.Error("the successor is the token itself, or of another user or session")
	}
	if e := only(t, records, first.Refresh, second.Refresh); e.Outcome != op.Done || e.Target.ID != p.ID.String() {
		t.Errorf("trail %+v", e)
	}
	if third, err := h.refresh(t, second.Refresh); err != nil || third.Refresh.Equal(second.Refresh) {
		t.Errorf("the successor does not work: %v", err)
	}
	if _, err := h.refresh(t, secret.New("made up")); !errors.Is(err, domain.ErrRefreshToken) {
		t.Errorf("a made up token: %v", err)
	}
	if _, err := h.refresh(t, second.Access); !errors.Is(err, domain.ErrRefreshToken) {
		t.Errorf("an access token: %v", err)
	}
}

func TestParallelRefreshesGetOneSuccessor(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	// The first rounds open connections one after the other; from then on they
	// run into each other.
	for range 5 {
		first, got := tokens, h.refreshAtOnce(t, tokens.Refresh, 20)
		for _, tokens := range got {
			if !tokens.Refresh.Equal(got[0].Refresh) || !h.live(t, tokens) {
				t.Fatal("parallel refreshes got different successors, or one that does not live")
			}
		}
		h.clock.Advance(lifetimes.Grace)
		if again, err := h.refresh(t, first.Refresh); err != nil || !again.Refresh.Equal(got[0].Refresh) {
			t.Errorf("at the end of the grace: %v", err)
		}
		tokens = got[0]
	}
}

func (h *house) refreshAtOnce(t *testing.T, token secret.Value, clients int) []service.Tokens {
	t.Helper()
	got := make([]service.Tokens, clients)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			<-start
			tokens, err := h.refresh(t, token)
			if err != nil {
				t.Error(err)
			}
			got[i] = tokens
		})
	}
	close(start)
	group.Wait()
	return got
}

func TestReuseAfterTheGraceEndsTheSession(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, first := h.join(t, "ada@example.com")
	other := h.login(t, "ada@example.com")
	second, err := h.refresh(t, first.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(lifetimes.Grace + time.Microsecond)

	s, records := h.auth(t)
	if tokens, err := s.Refresh(t.Context(), first.Refresh); !errors.Is(err, domain.ErrReused) || tokens != (service.Tokens{}) {
		t.Fatalf("reuse: %v", err)
	}
	if h.live(t, second) {
		t.Error("the session lives on")
	}
	if _, err := h.refresh(t, second.Refresh); !errors.Is(err, domain.ErrRefreshToken) {
		t.Errorf("the successor of a stolen token: %v", err)
	}
	if !h.live(t, other) {
		t.Error("another session of the user ended too")
	}
	e := only(t, records, first.Refresh, second.Refresh)
	if e.Outcome != op.Failed || e.Code != domain.ErrReused.Code || e.Target.ID != p.ID.String() || e.Before == nil || e.After == nil {
		t.Errorf("trail %+v does not say whose session ended", e)
	}
	if _, err := h.refresh(t, first.Refresh); !errors.Is(err, domain.ErrRefreshToken) {
		t.Errorf("reuse in an ended session: %v", err)
	}
}

func TestASessionEndsAtTheEndOfItsLife(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	var err error
	for end := noon.Add(lifetimes.Session); h.clock.Now().Before(end); {
		h.clock.Advance(min(lifetimes.Idle-time.Microsecond, end.Sub(h.clock.Now())-time.Microsecond))
		if tokens, err = h.refresh(t, tokens.Refresh); err != nil {
			t.Fatal(err)
		}
		if end.Sub(h.clock.Now()) == time.Microsecond {
			break
		}
	}
	h.clock.Advance(time.Microsecond)
	if _, err := h.refresh(t, tokens.Refresh); !errors.Is(err, domain.ErrRefreshToken) {
		t.Errorf("refreshing does not lengthen a session, got %v", err)
	}
}

func TestASessionThatIsNotUsedEnds(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	h.clock.Advance(lifetimes.Idle - time.Microsecond)
	tokens, err := h.refresh(t, tokens.Refresh)
	if err != nil {
		t.Fatalf("ended too early: %v", err)
	}
	me := h.caller(t, tokens).ID
	h.clock.Advance(lifetimes.Idle)
	if _, err := h.refresh(t, tokens.Refresh); !errors.Is(err, domain.ErrRefreshToken) {
		t.Errorf("an idle session lives on: %v", err)
	}
	s, _ := h.users(t, owner())
	if all, err := s.Sessions(t.Context(), me, page.Request{Limit: 9}); err != nil || len(all.Items) != 0 {
		t.Errorf("an idle session is listed: %v, %v", all.Items, err)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, tokens := h.join(t, "ada@example.com")
	other := h.login(t, "ada@example.com")
	s, records := h.authOf(t, h.caller(t, tokens))
	if err := s.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.live(t, tokens) || !h.live(t, other) {
		t.Error("logout ended the wrong sessions")
	}
	if _, err := h.refresh(t, tokens.Refresh); !errors.Is(err, domain.ErrRefreshToken) {
		t.Errorf("refresh after logout: %v", err)
	}
	if e := only(t, records); e.Target.ID != p.ID.String() || e.Before == nil || e.After == nil {
		t.Errorf("trail %+v", e)
	}
}

func TestAcceptInvitation(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, token := h.invite(t, "ada@example.com")
	accept := func(token secret.Value, password, name string) (service.Tokens, op.Entry, error) {
		t.Helper()
		s, records := h.auth(t)
		tokens, err := s.AcceptInvitation(t.Context(), service.Acceptance{Token: token, Password: secret.New(password), Name: name})
		return tokens, only(t, records, token), err
	}

	_, e, err := accept(token, "short", "")
	if declared, ok := errs.As(err); !ok || len(declared.Fields) != 2 || e.Target.ID != p.ID.String() || e.Outcome != op.Failed {
		t.Fatalf("weak password and no name: %v, trail %+v", err, e)
	}
	tokens, e, err := accept(token, password, "Ada King")
	if err != nil {
		t.Fatal(err)
	}
	if !h.live(t, tokens) || e.Outcome != op.Done || e.After.(domain.View).Status != domain.Active || e.Before.(domain.View).Status != domain.Invited {
		t.Errorf("trail %+v", e)
	}
	me, _ := h.me(t, h.caller(t, tokens))
	if got, err := me.Get(t.Context()); err != nil || got.Name != "Ada King" || got.Status != domain.Active || got.Version != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
	h.login(t, "ada@example.com")
	for name, token := range map[string]secret.Value{"used": token, "made up": secret.New("made up"), "refresh": tokens.Refresh} {
		if _, _, err := accept(token, password, "Ada"); !errors.Is(err, domain.ErrInvitation) {
			t.Errorf("%s token: %v", name, err)
		}
	}
}

func TestInvitationExpires(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, token := h.invite(t, "ada@example.com")
	h.clock.Advance(domain.InvitationLifetime)
	s, _ := h.auth(t)
	in := service.Acceptance{Token: token, Password: secret.New(password), Name: "Ada"}
	if _, err := s.AcceptInvitation(t.Context(), in); !errors.Is(err, domain.ErrInvitation) {
		t.Fatalf("got %v", err)
	}
	h.clock.Advance(-time.Microsecond)
	s, _ = h.auth(t)
	if _, err := s.AcceptInvitation(t.Context(), in); err != nil {
		t.Fatalf("just in time: %v", err)
	}
}

func TestOfParallelAcceptancesOneSucceeds(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, token := h.invite(t, "ada@example.com")
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		won   int
	)
	for range 5 {
		group.Go(func() {
			s, _ := h.auth(t)
			_, err := s.AcceptInvitation(t.Context(), service.Acceptance{Token: token, Password: secret.New(password), Name: "Ada"})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, domain.ErrInvitation) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if won != 1 {
		t.Fatalf("%d accepted", won)
	}
}

func TestPasswordChangeEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, here := h.join(t, "ada@example.com")
	there := h.login(t, "ada@example.com")
	me, records := h.me(t, h.caller(t, here))
	next := secret.New("another long password")
	if err := me.SetPassword(t.Context(), secret.New(password), next); err != nil {
		t.Fatal(err)
	}
	if e := only(t, records, next); e.Target.ID != p.ID.String() || e.Outcome != op.Done {
		t.Errorf("trail %+v", e)
	}
	if !h.live(t, here) || h.live(t, there) {
		t.Error("the wrong sessions ended")
	}
	s, _ := h.auth(t)
	if _, err := s.Login(t.Context(), service.Credentials{Email: "ada@example.com", Password: secret.New(password)}); !errors.Is(err, domain.ErrCredentials) {
		t.Errorf("the old password: %v", err)
	}
	s, _ = h.auth(t)
	if _, err := s.Login(t.Context(), service.Credentials{Email: "ada@example.com", Password: next}); err != nil {
		t.Errorf("the new password: %v", err)
	}

	me, records = h.me(t, h.caller(t, here))
	if err := me.SetPassword(t.Context(), secret.New(password), next); !errors.Is(err, domain.ErrCurrentPassword) {
		t.Errorf("wrong current password: %v", err)
	}
	if e := only(t, records, next); e.Outcome != op.Failed || strings.Contains(e.Code, "internal") {
		t.Errorf("trail %+v", e)
	}
}

func TestOwnSessions(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, mine := h.join(t, "ada@example.com")
	h.clock.Advance(time.Minute)
	other := h.login(t, "ada@example.com")
	_, stranger := h.join(t, "bob@example.com")
	me, _ := h.me(t, h.caller(t, mine))
	list := func() []domain.Session {
		t.Helper()
		p, err := me.Sessions(t.Context(), page.Request{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return p.Items
	}
	got := list()
	if len(got) != 2 || got[0].ID != h.caller(t, other).Session || got[1].ID != h.caller(t, mine).Session || got[0].Address != "192.0.2.7" || got[0].Client != "test" {
		t.Fatalf("sessions %+v", got)
	}
	if err := me.EndSession(t.Context(), h.caller(t, stranger).Session); !errors.Is(err, domain.ErrSessionNotFound) || !h.live(t, stranger) {
		t.Errorf("somebody else's session: %v", err)
	}
	me, records := h.me(t, h.caller(t, mine))
	if err := me.EndSession(t.Context(), got[0].ID); err != nil || h.live(t, other) || len(list()) != 1 {
		t.Errorf("own session: %v", err)
	}
	if e := only(t, records); e.Target.Kind != "session" || e.Target.ID != got[0].ID.String() {
		t.Errorf("trail %+v", e)
	}
}

func TestOwnName(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, tokens := h.join(t, "ada@example.com")
	me, records := h.me(t, h.caller(t, tokens))
	king := "Ada King"
	got, err := me.Update(t.Context(), p.Version, domain.Change{Name: &king, Email: &king})
	if err != nil || got.Name != "Ada King" || got.Version != p.Version+1 || len(got.Roles) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if e := only(t, records); e.Before.(domain.View).Name != "Ada Lovelace" || e.After.(domain.View).Name != "Ada King" {
		t.Errorf("trail %+v", e)
	}
	me, _ = h.me(t, h.caller(t, tokens))
	if _, err := me.Update(t.Context(), p.Version, domain.Change{Name: &king}); !errors.Is(err, errs.ErrPreconditionFailed) {
		t.Errorf("stale version: %v", err)
	}
}
