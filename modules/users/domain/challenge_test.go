package domain_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/secret"
)

// challenged is somebody between the two steps of a login.
func challenged(t testing.TB) (domain.User, domain.Challenge, secret.Key, secret.Value) {
	t.Helper()
	u := domain.User{ID: uuid.Max, Status: domain.Active, SecondFactor: true, PasswordHash: secret.New("hash")}
	c := domain.NewChallenge(u, secret.New("laptop"), noon)
	key, err := secret.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Seal(key, uuid.Max, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return u, c, key, text
}

func TestAChallengeIsGoodInItsTenantAndTime(t *testing.T) {
	_, c, key, text := challenged(t)
	another, err := secret.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := domain.OpenChallenge(key, uuid.Max, text, c.Expires.Add(-1)); err != nil || !reflect.DeepEqual(got, c) {
		t.Fatalf("opened %+v, %v", got, err)
	}
	for name, open := range map[string]func() (domain.Challenge, error){
		"too late":       func() (domain.Challenge, error) { return domain.OpenChallenge(key, uuid.Max, text, c.Expires) },
		"another tenant": func() (domain.Challenge, error) { return domain.OpenChallenge(key, uuid.Nil, text, noon) },
		"another key":    func() (domain.Challenge, error) { return domain.OpenChallenge(another, uuid.Max, text, noon) },
		"no text":        func() (domain.Challenge, error) { return domain.OpenChallenge(key, uuid.Max, secret.Value{}, noon) },
	} {
		if got, err := open(); !errors.Is(err, domain.ErrChallenge) || !reflect.DeepEqual(got, domain.Challenge{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAChallengeEndsWithWhatItProved(t *testing.T) {
	u, c, _, _ := challenged(t)
	if !c.Answers(u) {
		t.Fatal("the user of the challenge is not taken for it")
	}
	for name, change := range map[string]func(*domain.User){
		"suspended":            func(u *domain.User) { u.Status = domain.Suspended },
		"no second factor":     func(u *domain.User) { u.SecondFactor = false },
		"another password":     func(u *domain.User) { u.PasswordHash = secret.New("another hash") },
		"no password any more": func(u *domain.User) { u.PasswordHash = secret.Value{} },
	} {
		now := u
		change(&now)
		if c.Answers(now) {
			t.Errorf("%s: still good", name)
		}
	}
}

// FuzzOpenChallenge: exactly one text is taken, that which was sealed.
func FuzzOpenChallenge(f *testing.F) {
	_, want, key, text := challenged(f)
	good := text.Reveal()
	for _, seed := range []string{
		good, "", good + "=", good[:len(good)-1], good + "A", good[:20] + "\n" + good[20:],
		base64.RawURLEncoding.EncodeToString([]byte(`{"user":"ffffffff-ffff-ffff-ffff-ffffffffffff","expires":"2099-01-01T00:00:00Z"}`)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := domain.OpenChallenge(key, uuid.Max, secret.New(text), noon)
		switch {
		case text == good && (err != nil || !reflect.DeepEqual(c, want)):
			t.Fatalf("the genuine challenge opens as %+v, %v", c, err)
		case text != good && (!errors.Is(err, domain.ErrChallenge) || !reflect.DeepEqual(c, domain.Challenge{})):
			t.Fatalf("%q opens", text)
		}
	})
}

// FuzzRecoveryDigest: a code is one code however it is written, and never
// somebody else's.
func FuzzRecoveryDigest(f *testing.F) {
	for _, s := range []string{"abcd-efgh-ijkl-mnop", "ABCD EFGH", "", "--", "ﬁ", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, code string) {
		own := domain.RecoveryDigest(uuid.Max, code)
		if domain.RecoveryDigest(uuid.Nil, code) == own {
			t.Fatalf("%q is a code of two users", code)
		}
		if domain.RecoveryDigest(uuid.Max, " -"+code+"- ") != own {
			t.Fatalf("hyphens and spaces around %q matter", code)
		}
	})
}

// FuzzStep: only codes of the intervals around now are right, each once.
func FuzzStep(f *testing.F) {
	a := domain.Authenticator{Seed: secret.New("a seed of twenty byt")}
	for _, s := range []string{a.Code(noon), a.Code(noon.Add(30 * time.Second)), "000000", "00000", "", "１２３４５６", " " + a.Code(noon)} {
		f.Add(s)
	}
	right := map[string]bool{a.Code(noon.Add(-30 * time.Second)): true, a.Code(noon): true, a.Code(noon.Add(30 * time.Second)): true}
	f.Fuzz(func(t *testing.T, code string) {
		step, ok := a.Step(code, noon)
		if ok != right[code] {
			t.Fatalf("code %q: %v", code, ok)
		}
		if used := (domain.Authenticator{Seed: a.Seed, LastStep: step}); ok {
			if _, again := used.Step(code, noon); again {
				t.Fatalf("code %q works twice", code)
			}
		}
	})
}
