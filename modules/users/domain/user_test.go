package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/secret"
)

var (
	noon    = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	later   = noon.Add(time.Hour)
	someone = uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d")
)

// plainSlot "hashes" by putting a word in front, so that tests see what was
// hashed.
type plainSlot struct{}

func (plainSlot) Hash(p secret.Value) (secret.Value, error) {
	return secret.New("hash of " + domain.NormalPassword(p)), nil
}

func (plainSlot) Matches(stored, p secret.Value) bool {
	return stored.Reveal() == "hash of "+domain.NormalPassword(p)
}

func (plainSlot) Stale(secret.Value) bool { return false }

func (plainSlot) Release() {}

func invited(t *testing.T) domain.User {
	t.Helper()
	u, err := domain.Register(someone, "Ada@example.com", "Ada Lovelace", noon)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// pointers lists the fields an error names.
func pointers(err error) string {
	e, ok := errs.As(err)
	if !ok {
		return ""
	}
	var all []string
	for _, f := range e.Fields {
		all = append(all, f.Pointer)
	}
	return strings.Join(all, " ")
}

func TestRegister(t *testing.T) {
	u := invited(t)
	if u.Status != domain.Invited || u.Version != 1 || u.AccessVersion != 1 || !u.PasswordHash.IsZero() || u.CreatedAt != noon || u.UpdatedAt != noon {
		t.Fatalf("registered as %+v", u)
	}
	if _, err := domain.Register(someone, "nobody", "\n", noon); !errors.Is(err, domain.ErrInvalid) || pointers(err) != "#/email #/name" {
		t.Fatalf("got %v (%s), want both fields named", err, pointers(err))
	}
}

func TestFoundTakesTheNameFromTheAddress(t *testing.T) {
	u, err := domain.Found(someone, "ada.l@example.com", noon)
	if err != nil || u.Name != "ada.l" || u.Status != domain.Invited {
		t.Fatalf("got %+v, %v", u, err)
	}
	if _, err := domain.Found(someone, "nobody", noon); !errors.Is(err, domain.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
}

func TestAt(t *testing.T) {
	u := invited(t)
	for version, want := range map[int64]error{1: nil, domain.AnyVersion: nil, 2: errs.ErrPreconditionFailed, -1: errs.ErrPreconditionFailed} {
		if got := u.At(version); !errors.Is(got, want) {
			t.Errorf("At(%d) = %v, want %v", version, got, want)
		}
	}
}

func TestEdit(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, tc := range []struct {
		name        string
		change      domain.Change
		email, word string
		wrong       string
	}{
		{"nothing", domain.Change{}, "Ada@example.com", "Ada Lovelace", ""},
		{"name", domain.Change{Name: text("Ada King")}, "Ada@example.com", "Ada King", ""},
		{"address", domain.Change{Email: text("king@example.com")}, "king@example.com", "Ada Lovelace", ""},
		{"both wrong", domain.Change{Name: text(""), Email: text("")}, "", "", "#/email #/name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := invited(t).Edit(tc.change, later)
			if pointers(err) != tc.wrong {
				t.Fatalf("got %v", err)
			}
			if tc.wrong == "" && (got.Email.String() != tc.email || got.Name != tc.word || got.UpdatedAt != later) {
				t.Fatalf("got %+v", got)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	in := func(s domain.Status, hash string) domain.User {
		u := invited(t)
		u.Status, u.PasswordHash = s, secret.New(hash)
		return u
	}
	for _, tc := range []struct {
		name string
		rule func(domain.User, time.Time) (domain.User, error)
		user domain.User
		want domain.Status
		err  error
	}{
		{"suspend active", domain.User.Suspend, in(domain.Active, "h"), domain.Suspended, nil},
		{"suspend invited", domain.User.Suspend, in(domain.Invited, ""), domain.Suspended, nil},
		{"suspend twice", domain.User.Suspend, in(domain.Suspended, "h"), domain.Suspended, domain.ErrSuspended},
		{"resume", domain.User.Resume, in(domain.Suspended, "h"), domain.Active, nil},
		{"resume one without a password", domain.User.Resume, in(domain.Suspended, ""), domain.Invited, nil},
		{"resume active", domain.User.Resume, in(domain.Active, "h"), domain.Active, domain.ErrNotSuspended},
		{"resume invited", domain.User.Resume, in(domain.Invited, ""), domain.Invited, domain.ErrNotSuspended},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.rule(tc.user, later)
			if !errors.Is(err, tc.err) || got.Status != tc.want || (tc.err == nil) != (got.UpdatedAt == later) {
				t.Fatalf("got %s at %s, %v", got.Status, got.UpdatedAt, err)
			}
		})
	}
}

const goodPassword = "correct horse battery"

func TestJoin(t *testing.T) {
	got, err := invited(t).Join(" Ada King ", secret.New(goodPassword), plainSlot{}, later)
	if err != nil || got.Status != domain.Active || got.Name != "Ada King" || got.UpdatedAt != later ||
		got.PasswordHash.Reveal() != "hash of "+goodPassword {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, status := range []domain.Status{domain.Active, domain.Suspended} {
		u := invited(t)
		u.Status = status
		if _, err := u.Join("Ada", secret.New(goodPassword), plainSlot{}, later); !errors.Is(err, domain.ErrInvitation) {
			t.Errorf("%s: got %v", status, err)
		}
	}
	if _, err := invited(t).Join("\n", secret.New("short"), plainSlot{}, later); pointers(err) != "#/name #/password" {
		t.Errorf("got %v, want both fields named", err)
	}
}

func TestPasswordRule(t *testing.T) {
	for _, tc := range []struct {
		name, password string
		ok             bool
	}{
		{"shortest", "fourteen and 1!", true},
		{"one too short", "fourteen and 1", false},
		{"longest", strings.Repeat("x", 255) + "y", true},
		{"one too long", strings.Repeat("x", 256) + "y", false},
		{"characters, not bytes", strings.Repeat("é", 14) + "à", true},
		{"fifteen code points that compose to eight", strings.Repeat("e\u0301", 7) + "x", false},
		{"one code point that stands for many", strings.Repeat("\ufdfa", 15), false},
		{"spaces count", "a" + strings.Repeat(" ", 14), true},
		{"a common one", "1qaz2wsx3edc4rfv", false},
		{"a common one in another case", "QwertyUiop12345", false},
		{"a common one, full width", "ｑｗｅｒｔｙuiop12345", false},
		{"a common one again and again", "PasswordPassword", false},
		{"a common one thrice", "dragondragondragon", false},
		{"one character", strings.Repeat("x", 15), false},
		{"one character of two bytes", strings.Repeat("é", 15), false},
		{"a common one and more", "passwordpassword!", true},
		{"something else twice", "correct horse correct horse ", true},
		{"any script", "пароль очень длинный", true},
		{"not UTF-8", strings.Repeat("\xff", 20), false},
		{"the address", "ada-lovelace@example.com", false},
		{"the address in another case", "ADA-Lovelace@example.COM", false},
		{"the address with a space", "ada-lovelace@example.com ", false},
		{"the name", "Augusta Ada King Lovelace", false},
		{"the name, full width", "Ａugusta Ada King Lovelace", false},
		{"the name and more", "Augusta Ada King Lovelace!", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u, err := domain.Register(someone, "ada-lovelace@example.com", "nobody", noon)
			if err != nil {
				t.Fatal(err)
			}
			_, err = u.Join("Augusta Ada King Lovelace", secret.New(tc.password), plainSlot{}, later)
			if tc.ok != (err == nil) || !tc.ok && pointers(err) != "#/password" {
				t.Fatalf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), tc.password) {
				t.Error("the refusal repeats the password")
			}
		})
	}
}

func TestRekey(t *testing.T) {
	u, err := invited(t).Join("Ada", secret.New(goodPassword), plainSlot{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	next := "another long password"
	got, err := u.Rekey(secret.New(goodPassword), secret.New(next), plainSlot{}, later)
	if err != nil || got.PasswordHash.Reveal() != "hash of "+next || got.UpdatedAt != later {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err := u.Rekey(secret.New("not the password"), secret.New(next), plainSlot{}, later); !errors.Is(err, domain.ErrCurrentPassword) {
		t.Errorf("wrong current password: %v", err)
	}
	if _, err := u.Rekey(secret.New(goodPassword), secret.New("short"), plainSlot{}, later); pointers(err) != "#/new" {
		t.Errorf("weak new password: %v", err)
	}
}

func TestRegrantRaisesTheAccessVersion(t *testing.T) {
	u := invited(t)
	if got := u.Regrant(later); got.AccessVersion != u.AccessVersion+1 || got.UpdatedAt != later {
		t.Fatalf("got %+v", got)
	}
}
