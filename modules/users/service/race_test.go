package service_test

import (
	"testing"
	"time"

	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/secret"
)

// waitsForUser reports whether another connection waits for a row of the
// tenant's users.
func (h *house) waitsForUser(t *testing.T) bool {
	return h.BehindTheWall(t, `SELECT FROM pg_locks WHERE locktype = 'tuple' AND relation = 'users'::regclass`) > 0
}

// TestALoginThatBeganBeforeAResetKeepsNoSession: the login has proved the old
// password and inserted its session, and is not committed yet, when another
// connection resets the password. The reset must wait for it, or it would
// leave a session of the old password that nobody can see to end.
func TestALoginThatBeganBeforeAResetKeepsNoSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(h *house, at service.Tokens, token secret.Value) error{
		"reset": func(h *house, _ service.Tokens, token secret.Value) error {
			s, _ := h.auth(t)
			return s.ResetPassword(t.Context(), token, secret.New("another long password"))
		},
		"changed": func(h *house, at service.Tokens, _ secret.Value) error {
			me, _ := h.me(t, h.caller(t, at))
			return me.SetPassword(t.Context(), secret.New(password), secret.New("another long password"))
		},
		"sessions ended by an administrator": func(h *house, at service.Tokens, _ secret.Value) error {
			s, _ := h.users(t, owner())
			return s.EndSessions(t.Context(), h.caller(t, at).ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			_, before := h.join(t, "ada@example.com")
			s, _ := h.auth(t)
			if err := s.ForgotPassword(t.Context(), "ada@example.com"); err != nil {
				t.Fatal(err)
			}
			token, ended := h.token(t, "ada@example.com"), make(chan error, 1)
			h.sessions.inserted = func() {
				go func() { ended <- end(h, before, token) }()
				for deadline := time.Now().Add(time.Minute); !h.waitsForUser(t); {
					if len(ended) > 0 || time.Now().After(deadline) {
						t.Error("it did not wait for the login")
						return
					}
				}
			}
			in, err := h.try(t, "ada@example.com", password, secret.Value{})
			if err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if h.live(t, in.Tokens) {
				t.Error("the login kept its session")
			}
		})
	}
}
