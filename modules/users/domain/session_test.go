package domain_test

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/secret"
)

func TestJudge(t *testing.T) {
	const grace, idle = 10 * time.Second, time.Hour
	ago := func(d time.Duration) *time.Time {
		at := noon.Add(-d)
		return &at
	}
	for _, tc := range []struct {
		name    string
		used    *time.Time
		ended   *time.Time
		expires time.Time
		status  domain.Status
		want    domain.Verdict
	}{
		{"first use", nil, nil, later, domain.Active, domain.Rotate},
		{"parallel", ago(0), nil, later, domain.Active, domain.Repeat},
		{"end of the grace", ago(grace), nil, later, domain.Active, domain.Repeat},
		{"after the grace", ago(grace + 1), nil, later, domain.Active, domain.Revoke},
		{"ended session", nil, ago(time.Minute), later, domain.Active, domain.Refuse},
		{"reuse in an ended session", ago(time.Hour), ago(time.Minute), later, domain.Active, domain.Refuse},
		{"parallel in an ended session", ago(0), ago(0), later, domain.Active, domain.Refuse},
		{"expired session", nil, nil, noon, domain.Active, domain.Refuse},
		{"last moment", nil, nil, noon.Add(1), domain.Active, domain.Rotate},
		{"idle", nil, nil, later, domain.Active, domain.Refuse},
		{"suspended user", nil, nil, later, domain.Suspended, domain.Refuse},
		{"invited user", nil, nil, later, domain.Invited, domain.Refuse},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := domain.Refresh{
				Session: domain.Session{EndedAt: tc.ended, ExpiresAt: tc.expires, LastUsedAt: noon.Add(-idle + 1)},
				User:    domain.User{Status: tc.status}, UsedAt: tc.used,
			}
			if tc.name == "idle" {
				r.Session.LastUsedAt = noon.Add(-idle)
			}
			if got := r.Judge(noon, users.Lifetimes{Grace: grace, Idle: idle}); got != tc.want {
				t.Fatalf("verdict %d, want %d", got, tc.want)
			}
		})
	}
}

func TestTokensAreRandomAndLong(t *testing.T) {
	a, err := domain.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := domain.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if a.Equal(b) || len(a.Reveal()) != 43 || strings.ContainsAny(a.Reveal(), "+/=") {
		t.Fatalf("tokens of %d and %d characters", len(a.Reveal()), len(b.Reveal()))
	}
	if _, err := domain.NewToken(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Fatal("made a token of too little randomness")
	}
}

func TestSuccessorFollowsFromKeySessionAndToken(t *testing.T) {
	key, session, token := []byte("key"), someone, secret.New("token")
	next := domain.Successor(key, session, token)
	if !next.Equal(domain.Successor(key, session, token)) {
		t.Fatal("parallel refreshes would not agree")
	}
	for name, other := range map[string]secret.Value{
		"key":     domain.Successor([]byte("other"), session, token),
		"session": domain.Successor(key, uuid.Max, token),
		"token":   domain.Successor(key, session, secret.New("other")),
		"itself":  domain.Successor(key, session, next),
	} {
		if next.Equal(other) {
			t.Errorf("another %s gives the same successor", name)
		}
	}
}

func TestOneTimeTokenExpires(t *testing.T) {
	token := domain.OneTimeToken{ExpiresAt: noon}
	if token.Expired(noon.Add(-1)) || !token.Expired(noon) {
		t.Fatal("the token is good until just before its end")
	}
}
