// Package domain holds the rules about the people of a tenant: who may be
// one, what they may be called, which passwords are good enough, how long
// sessions and tokens last.
package domain

import (
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/secret"
)

// Status is where a user is between invitation and removal.
type Status string

// The statuses. Only an active user can sign in.
const (
	Invited   Status = "invited"   // has no password yet
	Active    Status = "active"    // can sign in
	Suspended Status = "suspended" // keeps everything and can do nothing
)

// AnyVersion stands for whichever version is the current one.
const AnyVersion int64 = 0

// User is one person of the tenant.
type User struct {
	ID           uuid.UUID
	Email        Email
	Name         string
	Locale       string // BCP 47; empty when not chosen
	TimeZone     string // IANA; empty when not chosen
	Status       Status
	PasswordHash secret.Value // empty until an invitation is accepted
	// SecondFactor says that signing in takes a confirmed second factor.
	SecondFactor bool
	// AccessVersion grows whenever what the user may do changes.
	AccessVersion int64
	// Version grows with each change; the repository counts it.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Register makes an invited user.
func Register(id uuid.UUID, email, name string, now time.Time) (User, error) {
	address, emailErr := ParseEmail(email)
	called, nameErr := ParseName(name)
	if err := together(emailErr, nameErr); err != nil {
		return User{}, err
	}
	return User{
		ID: id, Email: address, Name: called, Status: Invited,
		AccessVersion: 1, Version: 1, CreatedAt: now, UpdatedAt: now,
	}, nil
}

// Found makes the first user of a tenant, of whom only the address is known.
func Found(id uuid.UUID, email string, now time.Time) (User, error) {
	address, err := ParseEmail(email)
	if err != nil {
		return User{}, err
	}
	return Register(id, address.String(), address.Local(), now)
}

// At returns errs.ErrPreconditionFailed unless the user is at this version.
func (u User) At(version int64) error {
	if version != AnyVersion && version != u.Version {
		return errs.ErrPreconditionFailed
	}
	return nil
}

// Change says what to replace; nil keeps what is there.
type Change struct {
	Email    *string
	Name     *string
	Locale   *string // empty takes the choice back
	TimeZone *string // empty takes the choice back
}

// Edit applies a change.
func (u User) Edit(c Change, now time.Time) (User, error) {
	var emailErr, nameErr, localeErr, zoneErr error
	if c.Email != nil {
		u.Email, emailErr = ParseEmail(*c.Email)
	}
	if c.Name != nil {
		u.Name, nameErr = ParseName(*c.Name)
	}
	if c.Locale != nil {
		u.Locale, localeErr = ParseLocale(*c.Locale)
	}
	if c.TimeZone != nil {
		u.TimeZone, zoneErr = ParseTimeZone(*c.TimeZone)
	}
	u.UpdatedAt = now
	return u, together(emailErr, nameErr, localeErr, zoneErr)
}

// Suspend takes away that the user can sign in.
func (u User) Suspend(now time.Time) (User, error) {
	if u.Status == Suspended {
		return u, ErrSuspended
	}
	u.Status, u.UpdatedAt = Suspended, now
	return u, nil
}

// Resume gives a suspended user back the status it had: one who never chose
// a password is invited again.
func (u User) Resume(now time.Time) (User, error) {
	if u.Status != Suspended {
		return u, ErrNotSuspended
	}
	u.Status, u.UpdatedAt = Active, now
	if u.PasswordHash.IsZero() {
		u.Status = Invited
	}
	return u, nil
}

// Join makes an invited user active, under the name and with the password it
// chose. It returns ErrInvitation for a user who is not invited.
func (u User) Join(name string, password secret.Value, slot HashSlot, now time.Time) (User, error) {
	if u.Status != Invited {
		return u, ErrInvitation
	}
	var nameErr error
	u.Name, nameErr = ParseName(name)
	if err := together(nameErr, u.checkPassword(password, "#/password")); err != nil {
		return u, err
	}
	hash, err := slot.Hash(password)
	if err != nil {
		return u, err
	}
	u.Status, u.PasswordHash, u.UpdatedAt = Active, hash, now
	return u, nil
}

// Rekey replaces the password of a user who knows the current one. It
// returns ErrCurrentPassword for one who does not.
func (u User) Rekey(current, next secret.Value, slot HashSlot, now time.Time) (User, error) {
	if !slot.Matches(u.PasswordHash, current) {
		return u, ErrCurrentPassword.At("#/current", "is not your current password")
	}
	return u.choose(next, "#/new", slot, now)
}

// Reset replaces the password of an active user who has proved to read the
// mail that goes to them. It returns ErrReset for any other.
func (u User) Reset(next secret.Value, slot HashSlot, now time.Time) (User, error) {
	if u.Status != Active {
		return u, ErrReset
	}
	return u.choose(next, "#/password", slot, now)
}

func (u User) choose(next secret.Value, pointer string, slot HashSlot, now time.Time) (User, error) {
	if err := u.checkPassword(next, pointer); err != nil {
		return u, err
	}
	hash, err := slot.Hash(next)
	if err != nil {
		return u, err
	}
	u.PasswordHash, u.UpdatedAt = hash, now
	return u, nil
}

// Proves returns ErrCurrentPassword unless the user knows the password: what
// guards an account is changed by nobody who found it open.
func (u User) Proves(password secret.Value, slot HashSlot) error {
	if !slot.Matches(u.PasswordHash, password) {
		return ErrCurrentPassword.At("#/password", "is not your current password")
	}
	return nil
}

// Strengthen notes that signing in takes a second factor from now on.
func (u User) Strengthen(now time.Time) User {
	u.SecondFactor, u.UpdatedAt = true, now
	u.AccessVersion++
	return u
}

// Weaken takes the second factor away. It returns ErrShortPassword when the
// password, which the user has just given, could not stand alone.
func (u User) Weaken(password secret.Value, now time.Time) (User, error) {
	u.SecondFactor, u.UpdatedAt = false, now
	u.AccessVersion++
	if utf8.RuneCountInString(NormalPassword(password)) < MinPassword {
		return u, ErrShortPassword
	}
	return u, nil
}

// Regrant notes that the user's roles have changed.
func (u User) Regrant(now time.Time) User {
	u.AccessVersion++
	u.UpdatedAt = now
	return u
}

// View is what the audit trail keeps of a user: no secret.
type View struct {
	Email        string   `json:"email"`
	Name         string   `json:"name"`
	Locale       string   `json:"locale,omitempty"`
	TimeZone     string   `json:"time_zone,omitempty"`
	Status       Status   `json:"status"`
	SecondFactor bool     `json:"second_factor,omitempty"`
	Roles        []string `json:"roles,omitempty"`
}

// View shows the user with its roles, as far as they matter to the change.
func (u User) View(roles ...string) View {
	return View{
		Email: u.Email.String(), Name: u.Name, Locale: u.Locale, TimeZone: u.TimeZone,
		Status: u.Status, SecondFactor: u.SecondFactor, Roles: roles,
	}
}
