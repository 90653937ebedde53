package service_test

import (
	"slices"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/authn"
)

// TestRolesAreRememberedAtTheirVersion: they are asked for once, and again as
// soon as the user's roles, those of the tenant, or the time have changed.
func TestRolesAreRememberedAtTheirVersion(t *testing.T) {
	t.Parallel()
	h := open(t)
	ada, _ := h.join(t, "ada@example.com")
	by := owner()
	shows := func(by authn.Caller, asked int, want ...string) {
		t.Helper()
		before := h.roles.asked
		s, _ := h.users(t, by)
		got, err := s.Get(t.Context(), ada.ID)
		if err != nil || !slices.Equal(got.Roles, want) || h.roles.asked-before != asked {
			t.Errorf("shows %v, asked %d times, %v; want %v, asked %d times", got.Roles, h.roles.asked-before, err, want, asked)
		}
	}
	shows(by, 1, "member")
	shows(by, 0, "member")
	key := by
	key.Kind = authn.APIKey
	shows(key, 0, "member")
	command := by
	command.Kind = authn.Operator // was let in at no version
	shows(command, 1, "member")

	s, _ := h.users(t, by)
	if _, err := s.SetRoles(t.Context(), ada.ID, domain.AnyVersion, []string{"auditor"}, nil); err != nil {
		t.Fatal(err)
	}
	shows(by, 1, "auditor")

	h.roles.of[ada.ID], h.roles.ends = []string{"clerk"}, roles.Ends{"clerk": h.clock.Now().Add(time.Hour)}
	by.Policy++ // a role has another name now
	shows(by, 1, "clerk")
	shows(by, 0, "clerk")
	h.clock.Advance(time.Hour)
	h.roles.of[ada.ID], h.roles.ends = nil, nil
	shows(by, 1)
	shows(by, 0)
}
