package service_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

var errLastOwner = errs.New(errs.Conflict, "roles.last_owner", "Somebody must own the tenant.")

func TestCreate(t *testing.T) {
	t.Parallel()
	h := open(t)
	s, records := h.users(t, owner())
	p, err := s.Create(t.Context(), service.NewUser{Email: "Ada@example.com", Name: " Ada ", Roles: []string{"member", "auditor"}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Status != domain.Invited || p.Name != "Ada" || p.Version != 1 || !slices.Equal(p.Roles, []string{"auditor", "member"}) {
		t.Errorf("created %+v", p)
	}
	e := only(t, records, h.token(t, "Ada@example.com"))
	if e.Outcome != op.Done || e.Target.ID != p.ID.String() || e.Target.Label != "Ada@example.com" || e.Before != nil || len(e.After.(domain.View).Roles) != 2 {
		t.Errorf("trail %+v", e)
	}
}

func TestWhatIsRefusedIsNeitherStoredNorSent(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.invite(t, "ada@example.com")
	for _, tc := range []struct {
		name string
		in   service.NewUser
		deny error
		want error
	}{
		{"address taken", service.NewUser{Email: "ADA@example.com", Name: "Ada"}, nil, domain.ErrEmailTaken},
		{"wrong fields", service.NewUser{Email: "bob", Name: ""}, nil, domain.ErrInvalid},
		{"more than the caller holds", service.NewUser{Email: "bob@example.com", Name: "Bob", Roles: []string{"owner"}}, errs.ErrForbidden, errs.ErrForbidden},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h.roles.deny = tc.deny
			defer func() { h.roles.deny = nil }()
			h.deliver(t)
			sent := len(h.mail.Sent())
			s, records := h.users(t, owner())
			if _, err := s.Create(t.Context(), tc.in); !errors.Is(err, tc.want) {
				t.Fatalf("got %v", err)
			}
			if e := only(t, records); e.Outcome != op.Failed || e.After != nil {
				t.Errorf("trail %+v", e)
			}
			s, _ = h.users(t, owner())
			if all, err := s.List(t.Context(), service.Search{}, page.Request{Limit: 10}); err != nil || len(all.Items) != 1 {
				t.Errorf("%d users, %v", len(all.Items), err)
			}
			if h.deliver(t); len(h.mail.Sent()) != sent {
				t.Error("an invitation was sent")
			}
		})
	}
}

func TestGetAndList(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.invite(t, "bob@example.com")
	h.clock.Advance(time.Minute)
	ada, _ := h.join(t, "ada@example.com")
	s, records := h.users(t, owner())
	if got, err := s.Get(t.Context(), ada.ID); err != nil || got.Email.String() != "ada@example.com" || !slices.Equal(got.Roles, []string{"member"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := s.Get(t.Context(), uuid.Must(uuid.NewV7())); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	first, err := s.List(t.Context(), service.Search{}, page.Request{Limit: 1})
	if err != nil || len(first.Items) != 1 || first.Items[0].ID != ada.ID || first.Next == nil || len(first.Items[0].Roles) != 1 {
		t.Fatalf("first page %+v, %v", first, err)
	}
	second, err := s.List(t.Context(), service.Search{}, page.Request{Limit: 1, After: first.Next})
	if err != nil || len(second.Items) != 1 || second.Items[0].Email.String() != "bob@example.com" || second.Next != nil {
		t.Errorf("second page %+v, %v", second, err)
	}
	if none, err := s.List(t.Context(), service.Search{Spec: domain.Spec{Status: domain.Suspended}}, page.Request{Limit: 1}); err != nil || len(none.Items) != 0 {
		t.Errorf("suspended: %+v, %v", none, err)
	}
	if left := records.Entries(); len(left) != 1 || left[0].Operation != service.Get.Name || left[0].Code != domain.ErrNotFound.Code {
		t.Errorf("reading left records other than of what is not here: %+v", left)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, _ := h.join(t, "ada@example.com")
	h.invite(t, "bob@example.com")
	text := func(s string) *string { return &s }

	s, records := h.users(t, owner())
	got, err := s.Update(t.Context(), p.ID, p.Version, domain.Change{Name: text("Ada King"), Email: text("king@example.com")})
	if err != nil || got.Name != "Ada King" || got.Email.String() != "king@example.com" || got.Version != p.Version+1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if e := only(t, records); e.Before.(domain.View).Email != "ada@example.com" || e.After.(domain.View).Email != "king@example.com" || e.Target.ID != p.ID.String() {
		t.Errorf("trail %+v", e)
	}
	h.login(t, "king@example.com")
	for _, tc := range []struct {
		name    string
		id      uuid.UUID
		version int64
		change  domain.Change
		want    error
	}{
		{"stale", p.ID, p.Version, domain.Change{Name: text("X")}, errs.ErrPreconditionFailed},
		{"address taken", p.ID, domain.AnyVersion, domain.Change{Email: text("BOB@example.com")}, domain.ErrEmailTaken},
		{"wrong name", p.ID, domain.AnyVersion, domain.Change{Name: text("")}, domain.ErrInvalid},
		{"nobody", uuid.Must(uuid.NewV7()), domain.AnyVersion, domain.Change{Name: text("X")}, domain.ErrNotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, records := h.users(t, owner())
			if _, err := s.Update(t.Context(), tc.id, tc.version, tc.change); !errors.Is(err, tc.want) {
				t.Fatalf("got %v", err)
			}
			if e := only(t, records); e.Outcome != op.Failed || e.Target.ID != tc.id.String() || e.After != nil {
				t.Errorf("trail %+v", e)
			}
		})
	}
}

func TestAnInvitationFollowsTheAddress(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, old := h.invite(t, "ada@example.com")
	moved := "king@example.com"
	s, _ := h.users(t, owner())
	if _, err := s.Update(t.Context(), p.ID, p.Version, domain.Change{Email: &moved}); err != nil {
		t.Fatal(err)
	}
	auth, _ := h.auth(t)
	if _, err := auth.AcceptInvitation(t.Context(), service.Acceptance{Token: old, Password: secret.New(password), Name: "Ada"}); !errors.Is(err, domain.ErrInvitation) {
		t.Errorf("the invitation to the old address: %v", err)
	}
	auth, _ = h.auth(t)
	if _, err := auth.AcceptInvitation(t.Context(), service.Acceptance{Token: h.token(t, moved), Password: secret.New(password), Name: "Ada"}); err != nil {
		t.Errorf("the invitation to the new address: %v", err)
	}
}

func TestSuspendAndResume(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, tokens := h.join(t, "ada@example.com")
	s, records := h.users(t, owner())
	got, err := s.Suspend(t.Context(), p.ID)
	if err != nil || got.Status != domain.Suspended || got.Version != p.Version+1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if e := only(t, records); e.Before.(domain.View).Status != domain.Active || e.After.(domain.View).Status != domain.Suspended {
		t.Errorf("trail %+v", e)
	}
	if h.live(t, tokens) {
		t.Error("a session outlived the suspension")
	}
	if _, err := h.refresh(t, tokens.Refresh); !errors.Is(err, domain.ErrRefreshToken) {
		t.Errorf("refresh: %v", err)
	}
	s, _ = h.users(t, owner())
	if _, err := s.Suspend(t.Context(), p.ID); !errors.Is(err, domain.ErrSuspended) {
		t.Errorf("again: %v", err)
	}
	s, _ = h.users(t, owner())
	if got, err := s.Resume(t.Context(), p.ID); err != nil || got.Status != domain.Active {
		t.Errorf("resume: %+v, %v", got, err)
	}
	if h.live(t, tokens) {
		t.Error("an ended session came back")
	}
	h.login(t, "ada@example.com")
}

func TestASuspendedInvitationDoesNotOpen(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, token := h.invite(t, "ada@example.com")
	s, _ := h.users(t, owner())
	if _, err := s.Suspend(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	in := service.Acceptance{Token: token, Password: secret.New(password), Name: "Ada"}
	auth, _ := h.auth(t)
	if _, err := auth.AcceptInvitation(t.Context(), in); !errors.Is(err, domain.ErrInvitation) {
		t.Errorf("while suspended: %v", err)
	}
	s, _ = h.users(t, owner())
	if got, err := s.Resume(t.Context(), p.ID); err != nil || got.Status != domain.Invited {
		t.Fatalf("resume: %+v, %v", got, err)
	}
	auth, _ = h.auth(t)
	if _, err := auth.AcceptInvitation(t.Context(), in); err != nil {
		t.Errorf("after resume: %v", err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, tokens := h.join(t, "ada@example.com")
	s, _ := h.users(t, owner())
	if err := s.Delete(t.Context(), p.ID, p.Version-1); !errors.Is(err, errs.ErrPreconditionFailed) {
		t.Errorf("stale: %v", err)
	}
	s, records := h.users(t, owner())
	if err := s.Delete(t.Context(), p.ID, p.Version); err != nil {
		t.Fatal(err)
	}
	if e := only(t, records); e.Target.Label != "ada@example.com" || e.After != nil || !slices.Equal(e.Before.(domain.View).Roles, []string{"member"}) {
		t.Errorf("trail %+v", e)
	}
	if len(h.roles.of[p.ID]) != 0 {
		t.Error("the roles were not released")
	}
	if _, err := h.refresh(t, tokens.Refresh); !errors.Is(err, domain.ErrRefreshToken) {
		t.Errorf("refresh: %v", err)
	}
	if err := s.Delete(t.Context(), p.ID, domain.AnyVersion); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	h.invite(t, "ada@example.com") // the address is free again
}

func TestSetRoles(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, _ := h.join(t, "ada@example.com")
	s, records := h.users(t, owner())
	got, err := s.SetRoles(t.Context(), p.ID, p.Version, []string{"owner", "admin"}, nil)
	if err != nil || !slices.Equal(got.Roles, []string{"admin", "owner"}) || got.Version != p.Version+1 || got.AccessVersion != p.AccessVersion+1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	e := only(t, records)
	if !slices.Equal(e.Before.(domain.View).Roles, []string{"member"}) || !slices.Equal(e.After.(domain.View).Roles, []string{"admin", "owner"}) {
		t.Errorf("trail %+v", e)
	}
	s, _ = h.users(t, owner())
	if _, err := s.SetRoles(t.Context(), p.ID, p.Version, nil, nil); !errors.Is(err, errs.ErrPreconditionFailed) {
		t.Errorf("stale: %v", err)
	}
}

func TestTheLastOwnerStays(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, tokens := h.join(t, "ada@example.com")
	h.roles.deny = errLastOwner
	for name, do := range map[string]func(s *service.Users) error{
		"suspend": func(s *service.Users) error { _, err := s.Suspend(t.Context(), p.ID); return err },
		"delete":  func(s *service.Users) error { return s.Delete(t.Context(), p.ID, p.Version) },
		"roles":   func(s *service.Users) error { _, err := s.SetRoles(t.Context(), p.ID, p.Version, nil, nil); return err },
	} {
		s, records := h.users(t, owner())
		if err := do(s); !errors.Is(err, errLastOwner) {
			t.Errorf("%s: %v", name, err)
		}
		if e := only(t, records); e.Outcome != op.Failed || e.Code != "roles.last_owner" || e.Target.Label != "ada@example.com" {
			t.Errorf("%s: trail %+v", name, e)
		}
	}
	if !h.live(t, tokens) {
		t.Error("the session ended all the same")
	}
	h.roles.deny = nil
	s, _ := h.users(t, owner())
	if got, err := s.Get(t.Context(), p.ID); err != nil || got.Version != p.Version || got.Status != domain.Active {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNobodyLocksThemselvesOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, tokens := h.join(t, "ada@example.com")
	s, _ := h.users(t, h.caller(t, tokens))
	if _, err := s.Suspend(t.Context(), p.ID); !errors.Is(err, domain.ErrSelf) {
		t.Errorf("suspend: %v", err)
	}
	if err := s.Delete(t.Context(), p.ID, domain.AnyVersion); !errors.Is(err, domain.ErrSelf) {
		t.Errorf("delete: %v", err)
	}
	if !h.live(t, tokens) {
		t.Error("the session ended")
	}
}

func TestFounding(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Write(t, func(tx uow.Tx) error { return h.founding.Seed(t.Context(), tx, h.Tenant, "ada@example.com") })
	if !slices.Equal(h.roles.found, []string{roles.Owner}) {
		t.Errorf("the first user is %v", h.roles.found)
	}
	invite := func(email string) (users.Invitation, error) {
		var i users.Invitation
		err := h.Unit().Write(t.Context(), func(tx uow.Tx) (err error) {
			i, err = h.founding.Invite(t.Context(), tx, email)
			return err
		})
		return i, err
	}
	if _, err := invite("bob@example.com"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	first, err := invite("ADA@example.com")
	if err != nil {
		t.Fatal(err)
	}
	second, err := invite("ada@example.com")
	if err != nil || second.Email != "ada@example.com" || !second.Expires.Equal(noon.Add(domain.InvitationLifetime)) {
		t.Fatalf("got %+v, %v", second, err)
	}
	accept := func(token secret.Value) error {
		s, _ := h.auth(t)
		_, err := s.AcceptInvitation(t.Context(), service.Acceptance{Token: token, Password: secret.New(password), Name: "Ada"})
		return err
	}
	if err := accept(first.Token); !errors.Is(err, domain.ErrInvitation) {
		t.Errorf("the replaced invitation: %v", err)
	}
	if err := accept(second.Token); err != nil {
		t.Errorf("the newer invitation: %v", err)
	}
	if _, err := invite("ada@example.com"); errs.CodeOf(err) != users.CodeNotInvited {
		t.Errorf("somebody with a password: %v", err)
	}
	if h.deliver(t); len(h.mail.Sent()) != 0 {
		t.Error("the founder's invitations are delivered by the caller, not here")
	}
}

// Whoever could change the account of somebody with more rights could take it
// over: by its address, by its invitation, or by removing it.
func TestNobodyManagesWhoHoldsMore(t *testing.T) {
	t.Parallel()
	h := open(t)
	boss, _ := h.join(t, "boss@example.com")
	h.roles.of[boss.ID] = []string{roles.Owner}
	h.roles.above = true
	mail := "mine@example.com"
	for name, act := range map[string]func(s *service.Users) error{
		"change the address": func(s *service.Users) error {
			_, err := s.Update(t.Context(), boss.ID, domain.AnyVersion, domain.Change{Email: &mail})
			return err
		},
		"suspend": func(s *service.Users) error { _, err := s.Suspend(t.Context(), boss.ID); return err },
		"delete":  func(s *service.Users) error { return s.Delete(t.Context(), boss.ID, domain.AnyVersion) },
		"choose the roles": func(s *service.Users) error {
			_, err := s.SetRoles(t.Context(), boss.ID, domain.AnyVersion, []string{roles.Owner, roles.Member}, nil)
			return err
		},
	} {
		s, records := h.users(t, owner())
		if err := act(s); !errors.Is(err, errAbove) {
			t.Errorf("%s: got %v", name, err)
		}
		if e := only(t, records); e.Outcome != op.Failed || e.Target.ID != boss.ID.String() {
			t.Errorf("%s: trail %+v", name, e)
		}
	}
	s, _ := h.users(t, owner())
	if p, err := s.Get(t.Context(), boss.ID); err != nil || p.Email.String() != "boss@example.com" || p.Status != domain.Active {
		t.Errorf("afterwards %+v, %v", p, err)
	}
}
