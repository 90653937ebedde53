package service_test

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
)

// try signs in, from a device that may be known.
func (h *house) try(t *testing.T, email, password string, device secret.Value) (service.SignIn, error) {
	s, _ := h.auth(t)
	return s.Login(t.Context(), service.Credentials{Email: email, Password: secret.New(password), Device: device})
}

// TestGuessingSlowsDown: after some wrong passwords an address has to wait,
// longer each time, whether or not there is such a user.
func TestGuessingSlowsDown(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(t, "ada@example.com")
	var waits [2][]time.Duration
	for i, email := range []string{"ada@example.com", "nobody@example.com"} {
		h.clock.Set(noon)
		for range 12 {
			before := h.hasher.count()
			_, err := h.try(t, email, "wrong", secret.Value{})
			declared, _ := errs.As(err)
			if errors.Is(err, domain.ErrThrottled) {
				if h.hasher.count() != before {
					t.Error("a guess that has to wait was compared")
				}
				waits[i] = append(waits[i], declared.RetryAfter)
				h.clock.Advance(declared.RetryAfter)
			} else if !errors.Is(err, domain.ErrCredentials) {
				t.Fatal(err)
			}
		}
	}
	if !slices.Equal(waits[0], []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}) || !slices.Equal(waits[0], waits[1]) {
		t.Errorf("a user waits %v, nobody %v", waits[0], waits[1])
	}
	h.clock.Set(noon.Add(time.Hour))
	h.login(t, "ada@example.com") // the right password is right once the wait is over
	if _, err := h.try(t, "ada@example.com", "wrong", secret.Value{}); !errors.Is(err, domain.ErrCredentials) {
		t.Errorf("signing in did not forget the failures: %v", err)
	}
}

// TestStrangersDoNotLockTheOwnerOut: however wrong the passwords of others
// are, the owner signs in from a device that is known. That device has only
// so many wrong passwords itself.
func TestStrangersDoNotLockTheOwnerOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(t, "ada@example.com")
	in, err := h.try(t, "ada@example.com", password, secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	device := in.Tokens.Device
	for range 40 {
		_, _ = h.try(t, "ada@example.com", "wrong", secret.Value{})
	}
	if _, err := h.try(t, "ada@example.com", password, secret.Value{}); !errors.Is(err, domain.ErrThrottled) {
		t.Fatalf("from anywhere: %v", err)
	}
	again, err := h.try(t, "ada@example.com", password, device)
	if err != nil || !again.Tokens.Device.Equal(device) {
		t.Fatalf("from the known device: %v", err)
	}
	if _, err := h.try(t, "ada@example.com", password, secret.New(strings.Repeat("A", 64))); !errors.Is(err, domain.ErrThrottled) {
		t.Errorf("with a made up device: %v", err)
	}
	for range 5 {
		_, _ = h.try(t, "ada@example.com", "wrong", device)
	}
	if _, err := h.try(t, "ada@example.com", password, device); !errors.Is(err, domain.ErrThrottled) {
		t.Errorf("a stolen device guesses without end: %v", err)
	}
}

// TestANetworkThatGuessesIsSlowedDown, whichever addresses it tries.
func TestANetworkThatGuessesIsSlowedDown(t *testing.T) {
	t.Parallel()
	h := open(t)
	for range 30 {
		if _, err := h.try(t, uuid.NewString()+"@example.com", "wrong", secret.Value{}); !errors.Is(err, domain.ErrCredentials) {
			t.Fatal(err)
		}
	}
	if _, err := h.try(t, "new@example.com", "wrong", secret.Value{}); !errors.Is(err, domain.ErrThrottled) {
		t.Errorf("got %v", err)
	}
}

// TestAnOldHashIsReplacedAtLogin: a password that was hashed under the pepper
// before is moved to the current one when it is at hand, and nothing else
// about the user changes.
func TestAnOldHashIsReplacedAtLogin(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, _ := h.join(t, "ada@example.com")
	next, err := secret.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h.access.Hasher = infra.NewPasswords([]secret.Key{h.root, next}, bcrypt.MinCost, 2)
	tokens := h.login(t, "ada@example.com")
	h.access.Hasher = infra.NewPasswords([]secret.Key{{}, next}, bcrypt.MinCost, 2) // the old pepper is gone
	h.login(t, "ada@example.com")
	me, _ := h.me(t, h.caller(t, tokens))
	if got, err := me.Get(t.Context()); err != nil || got.Version != p.Version {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	h.invite(t, "ivy@example.com")
	for _, email := range []string{"nobody@example.com", "no address", "ivy@example.com", "ada@example.com"} {
		before := len(h.subjects(t, email))
		s, records := h.auth(t)
		if err := s.ForgotPassword(t.Context(), email); err != nil {
			t.Fatal(err)
		}
		if e := only(t, records); e.Outcome != op.Done || e.Target.ID != "" {
			t.Errorf("trail %+v tells who was meant", e)
		}
		if sent := len(h.subjects(t, email)) - before; sent != map[bool]int{true: 1}[email == "ada@example.com"] {
			t.Errorf("%d mails to %s", sent, email)
		}
	}
	token := h.token(t, "ada@example.com")
	reset := func(token secret.Value, next string) error {
		s, records := h.auth(t)
		err := s.ResetPassword(t.Context(), token, secret.New(next))
		only(t, records, token, secret.New(next))
		return err
	}
	if err := reset(token, "short"); !errors.Is(err, domain.ErrInvalid) {
		t.Errorf("a weak password: %v", err)
	}
	if err := reset(token, "another long password"); err != nil {
		t.Fatal(err)
	}
	if h.live(t, tokens) {
		t.Error("a session survived")
	}
	if err := reset(token, "a third long password"); !errors.Is(err, domain.ErrReset) {
		t.Errorf("the token again: %v", err)
	}
	if _, err := h.try(t, "ada@example.com", password, secret.Value{}); !errors.Is(err, domain.ErrCredentials) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := h.try(t, "ada@example.com", "another long password", secret.Value{}); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if all := h.subjects(t, "ada@example.com"); all[len(all)-1] != string(mailx.PasswordReset) {
		t.Errorf("mails %v", all)
	}
}

func TestResetTokensEnd(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, tokens := h.join(t, "ada@example.com")
	ask := func() secret.Value {
		t.Helper()
		s, _ := h.auth(t)
		if err := s.ForgotPassword(t.Context(), "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		return h.token(t, "ada@example.com")
	}
	reset := func(token secret.Value) error {
		s, _ := h.auth(t)
		return s.ResetPassword(t.Context(), token, secret.New("another long password"))
	}
	first := ask()
	second := ask()
	if err := reset(first); !errors.Is(err, domain.ErrReset) {
		t.Errorf("one that another took the place of: %v", err)
	}
	h.clock.Advance(domain.ResetLifetime)
	if err := reset(second); !errors.Is(err, domain.ErrReset) {
		t.Errorf("one that came too late: %v", err)
	}
	third := ask()
	moved := "king@example.com"
	s, _ := h.users(t, owner())
	if _, err := s.Update(t.Context(), p.ID, domain.AnyVersion, domain.Change{Email: &moved}); err != nil {
		t.Fatal(err)
	}
	if err := reset(third); !errors.Is(err, domain.ErrReset) {
		t.Errorf("one that went to an address that is not the user's any more: %v", err)
	}
	if err := reset(tokens.Refresh); !errors.Is(err, domain.ErrReset) {
		t.Errorf("a token of another kind: %v", err)
	}
}

// TestAskingForResetsIsBounded: nobody's mailbox is filled.
func TestAskingForResetsIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(t, "ada@example.com")
	before := len(h.subjects(t, "ada@example.com"))
	for range 20 {
		s, _ := h.auth(t)
		if err := s.ForgotPassword(t.Context(), "ada@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	if sent := len(h.subjects(t, "ada@example.com")) - before; sent != 3 {
		t.Errorf("%d mails", sent)
	}
}

func TestChangingTheOwnAddress(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	h.join(t, "bob@example.com")
	ask := func(email, password string) error {
		me, records := h.me(t, h.caller(t, tokens))
		err := me.ChangeEmail(t.Context(), email, secret.New(password))
		only(t, records)
		return err
	}
	confirm := func(token secret.Value) error {
		s, _ := h.auth(t)
		return s.ConfirmEmail(t.Context(), token)
	}
	if err := ask("king@example.com", "wrong"); !errors.Is(err, domain.ErrCurrentPassword) {
		t.Errorf("a wrong password: %v", err)
	}
	if err := ask("bob@example.com", password); err != nil {
		t.Fatal(err)
	}
	if err := confirm(h.token(t, "bob@example.com")); !errors.Is(err, domain.ErrEmailTaken) {
		t.Errorf("somebody else's address: %v", err)
	}
	if err := ask("king@example.com", password); err != nil {
		t.Fatal(err)
	}
	me, _ := h.me(t, h.caller(t, tokens))
	if got, err := me.Get(t.Context()); err != nil || got.Email.String() != "ada@example.com" {
		t.Errorf("before it was confirmed: %+v, %v", got, err)
	}
	token := h.token(t, "king@example.com")
	if err := confirm(token); err != nil {
		t.Fatal(err)
	}
	if err := confirm(token); !errors.Is(err, domain.ErrEmailToken) {
		t.Errorf("the token again: %v", err)
	}
	h.login(t, "king@example.com")
	if all := h.subjects(t, "ada@example.com"); all[len(all)-1] != string(mailx.EmailChanged) {
		t.Errorf("the old address got %v", all)
	}
}

// protect sets up a second factor and returns it with its recovery codes.
func (h *house) protect(t *testing.T, tokens service.Tokens) (domain.Authenticator, []secret.Value) {
	t.Helper()
	me, records := h.me(t, h.caller(t, tokens))
	seed, err := me.SetUpSecondFactor(t.Context(), secret.New(password))
	if err != nil {
		t.Fatal(err)
	}
	only(t, records, seed.Text)
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(seed.Text.Reveal())
	if err != nil || !strings.HasPrefix(seed.URL.Reveal(), "otpauth://totp/") {
		t.Fatalf("a seed that no app reads: %v", err)
	}
	a := domain.Authenticator{Seed: secret.New(string(raw))}
	me, records = h.me(t, h.caller(t, tokens))
	codes, err := me.ConfirmSecondFactor(t.Context(), a.Code(h.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	only(t, records, codes...)
	return a, codes
}

// second is the second step of a login.
func (h *house) second(t *testing.T, challenge secret.Value, code string) (service.Tokens, error) {
	s, records := h.auth(t)
	tokens, err := s.Verify(t.Context(), challenge, secret.New(code))
	only(t, records, challenge)
	return tokens, err
}

func (h *house) challenge(t *testing.T, email string) secret.Value {
	t.Helper()
	in, err := h.try(t, email, password, secret.Value{})
	if err != nil || in.Challenge.IsZero() || in.Tokens != (service.Tokens{}) {
		t.Fatalf("the first step: %+v, %v", in, err)
	}
	return in.Challenge
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, here := h.join(t, "ada@example.com")
	there := h.login(t, "ada@example.com")
	a, codes := h.protect(t, here)
	if !h.live(t, here) || h.live(t, there) {
		t.Error("the wrong sessions ended")
	}
	c := h.challenge(t, "ada@example.com")
	if _, err := h.second(t, c, a.Code(h.clock.Now())); !errors.Is(err, domain.ErrSecondFactor) {
		t.Errorf("the code that confirmed it: %v", err)
	}
	h.clock.Advance(30 * time.Second)
	code := a.Code(h.clock.Now())
	if tokens, err := h.second(t, c, code); err != nil || !h.live(t, tokens) {
		t.Fatalf("a right code: %v", err)
	}
	if _, err := h.second(t, h.challenge(t, "ada@example.com"), code); !errors.Is(err, domain.ErrSecondFactor) {
		t.Errorf("the same code again: %v", err)
	}
	if _, err := h.second(t, c, codes[3].Reveal()); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	if _, err := h.second(t, c, codes[3].Reveal()); !errors.Is(err, domain.ErrSecondFactor) {
		t.Errorf("the same recovery code again: %v", err)
	}
	if all := h.subjects(t, "ada@example.com"); !slices.Contains(all, string(mailx.RecoveryCodeUsed)) || !slices.Contains(all, string(mailx.SecondFactorSet)) {
		t.Errorf("mails %v", all)
	}
	me, _ := h.me(t, h.caller(t, here))
	if _, err := me.SetUpSecondFactor(t.Context(), secret.New(password)); !errors.Is(err, domain.ErrSecondFactorSet) {
		t.Errorf("a second second factor: %v", err)
	}
}

func TestChallengesEnd(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	a, _ := h.protect(t, tokens)
	late, overtaken := h.challenge(t, "ada@example.com"), h.challenge(t, "ada@example.com")
	me, _ := h.me(t, h.caller(t, tokens))
	if err := me.SetPassword(t.Context(), secret.New(password), secret.New("another long password")); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(time.Minute)
	code := a.Code(h.clock.Now())
	for name, c := range map[string]secret.Value{
		"after another password": overtaken, "made up": secret.New("AAAA"), "an access token": tokens.Access,
	} {
		if _, err := h.second(t, c, code); !errors.Is(err, domain.ErrChallenge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.clock.Advance(domain.ChallengeLifetime)
	if _, err := h.second(t, late, a.Code(h.clock.Now())); !errors.Is(err, domain.ErrChallenge) {
		t.Errorf("too late: %v", err)
	}
}

// TestCodesAreNotGuessed: whoever has the password has few guesses at the
// code, and failed ones are counted although the login fails.
func TestCodesAreNotGuessed(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	a, _ := h.protect(t, tokens)
	h.clock.Advance(time.Minute)
	c := h.challenge(t, "ada@example.com")
	for range 5 {
		if _, err := h.second(t, c, "000000"); !errors.Is(err, domain.ErrSecondFactor) {
			t.Fatal(err)
		}
	}
	if _, err := h.second(t, h.challenge(t, "ada@example.com"), a.Code(h.clock.Now())); !errors.Is(err, domain.ErrThrottled) {
		t.Errorf("a sixth guess: %v", err)
	}
	h.clock.Advance(30 * time.Second)
	if _, err := h.second(t, c, a.Code(h.clock.Now())); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// TestAResetDoesNotGoAroundTheSecondFactor.
func TestAResetDoesNotGoAroundTheSecondFactor(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	h.protect(t, tokens)
	s, _ := h.auth(t)
	if err := s.ForgotPassword(t.Context(), "ada@example.com"); err != nil {
		t.Fatal(err)
	}
	s, _ = h.auth(t)
	if err := s.ResetPassword(t.Context(), h.token(t, "ada@example.com"), secret.New("eight+ch")); err != nil {
		t.Fatalf("a shorter password beside a second factor: %v", err)
	}
	in, err := h.try(t, "ada@example.com", "eight+ch", secret.Value{})
	if err != nil || in.Challenge.IsZero() || !in.Tokens.Access.IsZero() {
		t.Errorf("signing in afterwards: %+v, %v", in, err)
	}
}

func TestRemovingTheSecondFactor(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	h.protect(t, tokens)
	remove := func(password string) error {
		me, _ := h.me(t, h.caller(t, tokens))
		return me.RemoveSecondFactor(t.Context(), secret.New(password))
	}
	if err := remove("wrong"); !errors.Is(err, domain.ErrCurrentPassword) {
		t.Errorf("a wrong password: %v", err)
	}
	h.policies.all.SecondFactor = true
	if err := remove(password); !errors.Is(err, domain.ErrSecondFactorKept) {
		t.Errorf("where everybody needs one: %v", err)
	}
	h.policies.all.SecondFactor = false
	if err := remove(password); err != nil {
		t.Fatal(err)
	}
	if err := remove(password); !errors.Is(err, domain.ErrNoSecondFactor) {
		t.Errorf("again: %v", err)
	}
	h.login(t, "ada@example.com")
	if all := h.subjects(t, "ada@example.com"); all[len(all)-1] != string(mailx.SecondFactorRemoved) {
		t.Errorf("mails %v", all)
	}
}

// TestAnOpenSessionDoesNotGuessThePassword: whoever finds one is slowed down.
func TestAnOpenSessionDoesNotGuessThePassword(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, tokens := h.join(t, "ada@example.com")
	for i := range 6 {
		me, _ := h.me(t, h.caller(t, tokens))
		err := me.SetPassword(t.Context(), secret.New("wrong"), secret.New("another long password"))
		if want := map[bool]error{false: domain.ErrCurrentPassword, true: domain.ErrThrottled}[i == 5]; !errors.Is(err, want) {
			t.Errorf("try %d: %v", i, err)
		}
	}
}

func TestInvitations(t *testing.T) {
	t.Parallel()
	h := open(t)
	s, records := h.users(t, owner())
	i, err := s.Invite(t.Context(), service.NewUser{Email: "ada@example.com", Roles: []string{"member"}})
	if err != nil || i.Name != "ada" || !i.ExpiresAt.Equal(noon.Add(domain.InvitationLifetime)) {
		t.Fatalf("invited %+v, %v", i, err)
	}
	only(t, records)
	first := h.token(t, "ada@example.com")
	h.clock.Advance(time.Hour)
	h.invite(t, "bob@example.com")
	h.join(t, "cid@example.com")
	list := func() (emails []string) {
		s, _ := h.users(t, owner())
		all, err := s.Invitations(t.Context(), page.Request{Limit: 9})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range all.Items {
			emails = append(emails, i.Email.String())
		}
		return emails
	}
	if got := list(); !slices.Equal(got, []string{"bob@example.com", "ada@example.com"}) {
		t.Errorf("open invitations %v", got)
	}
	h.clock.Advance(time.Hour)
	s, _ = h.users(t, owner())
	if again, err := s.Resend(t.Context(), i.ID); err != nil || !again.ExpiresAt.After(i.ExpiresAt) {
		t.Fatalf("sent again %+v, %v", again, err)
	}
	if got := list(); !slices.Equal(got, []string{"ada@example.com", "bob@example.com"}) {
		t.Errorf("open invitations %v, the last sent first", got)
	}
	accept := func(token secret.Value) error {
		s, _ := h.auth(t)
		_, err := s.AcceptInvitation(t.Context(), service.Acceptance{Token: token, Password: secret.New(password), Name: "Ada"})
		return err
	}
	second := h.token(t, "ada@example.com")
	if err := accept(first); !errors.Is(err, domain.ErrInvitation) {
		t.Errorf("the first link: %v", err)
	}
	s, _ = h.users(t, owner())
	if err := s.Revoke(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	if err := accept(second); !errors.Is(err, domain.ErrInvitation) {
		t.Errorf("a revoked invitation: %v", err)
	}
	if got := list(); !slices.Equal(got, []string{"bob@example.com"}) {
		t.Errorf("open invitations %v", got)
	}
}

func TestSessionsOfOthers(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, one := h.join(t, "ada@example.com")
	two := h.login(t, "ada@example.com")
	_, stranger := h.join(t, "bob@example.com")
	s, _ := h.users(t, owner())
	if all, err := s.Sessions(t.Context(), p.ID, page.Request{Limit: 9}); err != nil || len(all.Items) != 2 {
		t.Fatalf("%d sessions, %v", len(all.Items), err)
	}
	s, _ = h.users(t, owner())
	if err := s.EndSession(t.Context(), p.ID, h.caller(t, stranger).Session); !errors.Is(err, domain.ErrSessionNotFound) || !h.live(t, stranger) {
		t.Errorf("a session of another user: %v", err)
	}
	s, records := h.users(t, owner())
	if err := s.EndSession(t.Context(), p.ID, h.caller(t, one).Session); err != nil || h.live(t, one) || !h.live(t, two) {
		t.Errorf("one session: %v", err)
	}
	if e := only(t, records); e.Target.ID != p.ID.String() || e.After == nil {
		t.Errorf("trail %+v", e)
	}
	s, _ = h.users(t, owner())
	if err := s.EndSessions(t.Context(), p.ID); err != nil || h.live(t, two) || !h.live(t, stranger) {
		t.Errorf("all sessions: %v", err)
	}
	h.roles.of[p.ID], h.roles.above = []string{"owner"}, true
	s, _ = h.users(t, owner())
	if err := s.EndSessions(t.Context(), p.ID); !errors.Is(err, errAbove) {
		t.Errorf("of somebody who holds more: %v", err)
	}
}

func (h *house) keys(t *testing.T, c authn.Caller) (*service.APIKeys, *optest.Records) {
	r := scope.Request{Tenant: h.Tenant, Caller: c}
	run, records := optest.Runner(t, r, h.Unit(), h.clock)
	return service.NewAPIKeys(r, run, infra.NewAPIKeys(), h.secrets, h.clock, h.ids, rand.Reader), records
}

func TestAPIKeysHoldNoMoreThanTheirMaker(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, tokens := h.join(t, "ada@example.com")
	me := h.caller(t, tokens)
	me.Grants = authn.NewGrants([]string{"member"}, map[string]string{"users.list": "member"})
	in := service.NewAPIKey{Name: "import", Operations: []string{"users.list"}, Expires: noon.Add(time.Hour)}
	s, records := h.keys(t, me)
	k, err := s.Create(t.Context(), in)
	if err != nil || k.UserID != p.ID || !strings.HasPrefix(k.Text.Reveal(), users.KeyPrefix) {
		t.Fatalf("made %+v, %v", k, err)
	}
	only(t, records, k.Text)
	for name, tc := range map[string]struct {
		caller authn.Kind
		in     service.NewAPIKey
		want   error
	}{
		"more":     {authn.User, service.NewAPIKey{Name: "x", Operations: []string{"users.list", "users.create"}, Expires: in.Expires}, domain.ErrKeyBeyondOwn},
		"a wish":   {authn.User, service.NewAPIKey{Name: "x", Operations: []string{"*"}, Expires: in.Expires}, domain.ErrKeyBeyondOwn},
		"by a key": {authn.APIKey, in, domain.ErrKeyByKey},
		"for ever": {authn.User, service.NewAPIKey{Name: "x", Operations: in.Operations, Expires: noon.Add(1e5 * time.Hour)}, domain.ErrInvalid},
	} {
		c := me
		c.Kind = tc.caller
		s, _ := h.keys(t, c)
		if _, err := s.Create(t.Context(), tc.in); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	u, _ := h.users(t, owner())
	if err := u.Delete(t.Context(), p.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	s, _ = h.keys(t, owner())
	if all, err := s.List(t.Context(), page.Request{Limit: 9}); err != nil || len(all.Items) != 0 {
		t.Errorf("keys of somebody who is gone: %v, %v", all.Items, err)
	}
}

// TestMailThatIsRefusedForGoodIsGivenUp, and any other is tried again.
func TestMailThatIsRefusedForGoodIsGivenUp(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.mail.FailWith(mailx.ErrTemporary)
	s, _ := h.users(t, owner())
	if _, err := s.Create(t.Context(), service.NewUser{Email: "ada@example.com", Name: "Ada"}); err != nil {
		t.Fatal(err)
	}
	work := h.post.take()
	if len(work) != 1 || strings.Contains(string(work[0].args.Sealed), "ada@example.com") {
		t.Fatalf("queued %v", work)
	}
	for fault, hopeless := range map[error]bool{mailx.ErrTemporary: false, mailx.ErrPermanent: true} {
		h.mail.FailWith(fault)
		m, records := h.mailroom(t, work[0].def)
		if err := m.Deliver(t.Context(), work[0].args); !errors.Is(err, fault) || jobs.IsHopeless(err) != hopeless {
			t.Errorf("%v: %v", fault, err)
		}
		if e := only(t, records); e.Outcome != op.Failed || e.Target.Label != "" && e.Target.Label != "ada@example.com" {
			t.Errorf("trail %+v", e)
		}
	}
	m, _ := h.mailroom(t, work[0].def)
	if err := m.OfferReset(t.Context(), work[0].args); !jobs.IsHopeless(err) {
		t.Errorf("sealed for another job: %v", err)
	}
}
