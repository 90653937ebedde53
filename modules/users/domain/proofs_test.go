package domain_test

import (
	"crypto/rand"
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/secret"
)

// TestCodesAreThoseOfRFC6238 holds the codes to the test vectors of its
// appendix B, of which six digits are kept.
func TestCodesAreThoseOfRFC6238(t *testing.T) {
	a := domain.Authenticator{Seed: secret.New("12345678901234567890")}
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := a.Code(time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestACodeWorksOnceAndForAShortTime(t *testing.T) {
	seed, err := domain.NewSeed(rand.Reader)
	if err != nil || len(seed.Reveal()) != 20 {
		t.Fatalf("a seed of %d bytes, %v", len(seed.Reveal()), err)
	}
	a := domain.Authenticator{Seed: seed}
	code := a.Code(noon)
	for offset, want := range map[time.Duration]bool{
		-61 * time.Second: false, -30 * time.Second: true, 0: true, 59 * time.Second: true, 60 * time.Second: false,
	} {
		if _, ok := a.Step(code, noon.Add(offset)); ok != want {
			t.Errorf("%s later: accepted %v", offset, ok)
		}
	}
	step, _ := a.Step(code, noon)
	a.LastStep = step
	if _, ok := a.Step(code, noon); ok {
		t.Error("a code works twice")
	}
	if _, ok := a.Step(a.Code(noon.Add(-30*time.Second)), noon); ok {
		t.Error("an older code works after a newer one")
	}
	if _, ok := a.Step(a.Code(noon.Add(30*time.Second)), noon.Add(30*time.Second)); !ok {
		t.Error("the next code does not work")
	}
	for _, wrong := range []string{"", "12345", code + "0", " " + code} {
		if _, ok := (domain.Authenticator{Seed: seed}).Step(wrong, noon); ok {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

func TestRecoveryCodes(t *testing.T) {
	codes, err := domain.NewRecoveryCodes(rand.Reader)
	if err != nil || len(codes) != domain.RecoveryCodes {
		t.Fatalf("%d codes, %v", len(codes), err)
	}
	seen := map[domain.Digest]bool{}
	for _, c := range codes {
		text := c.Reveal()
		if len(text) != 19 {
			t.Errorf("a code of %d characters", len(text))
		}
		d := domain.RecoveryDigest(someone, text)
		seen[d] = true
		if d != domain.RecoveryDigest(someone, strings.ToUpper(strings.ReplaceAll(text, "-", " "))) {
			t.Error("the way a code is written matters")
		}
		if d == domain.RecoveryDigest(uuid.Max, text) {
			t.Error("a code of one user is one of another's")
		}
	}
	if len(seen) != domain.RecoveryCodes {
		t.Error("codes repeat")
	}
}

func TestKnownDevices(t *testing.T) {
	key, tenant := []byte("key"), uuid.Max
	ada := domain.KnownEmail("Ada@example.com")
	device, err := domain.NewDevice(key, tenant, ada, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !domain.KnownDevice(key, tenant, " ada@EXAMPLE.com", device) {
		t.Error("a device is not known to its own account")
	}
	flipped := []byte(device.Reveal())
	flipped[5] ^= 1
	for name, known := range map[string]bool{
		"another account": domain.KnownDevice(key, tenant, "bob@example.com", device),
		"another tenant":  domain.KnownDevice(key, someone, "ada@example.com", device),
		"another key":     domain.KnownDevice([]byte("other"), tenant, "ada@example.com", device),
		"no address":      domain.KnownDevice(key, tenant, "", device),
		"none":            domain.KnownDevice(key, tenant, "ada@example.com", secret.Value{}),
		"changed":         domain.KnownDevice(key, tenant, "ada@example.com", secret.New(string(flipped))),
	} {
		if known {
			t.Errorf("%s: known", name)
		}
	}
}

func TestDelaysGrow(t *testing.T) {
	account := domain.AccountSubject("ada@example.com")
	for failures, want := range map[int]time.Duration{
		0: 0, 4: 0, 5: time.Second, 6: 2 * time.Second, 9: 16 * time.Second, 15: 15 * time.Minute, 1 << 30: 15 * time.Minute,
	} {
		if got := account.Delay(failures); got != want {
			t.Errorf("after %d failures %s, want %s", failures, got, want)
		}
	}
	guesses, spent := 0, time.Duration(0)
	for spent < 24*time.Hour {
		guesses++
		spent += account.Delay(guesses)
	}
	if guesses > 120 {
		t.Errorf("%d guesses a day", guesses)
	}
	same := func(a, b domain.Subject) bool { return string(a.Digest()) == string(b.Digest()) }
	if !same(account, domain.AccountSubject(" ADA@example.com ")) || same(account, domain.ResetSubject("ada@example.com")) {
		t.Error("an account is told by how it is written, or mistaken for something else")
	}
	v6 := func(s string) domain.Subject { return domain.NetworkSubject(netip.MustParseAddr(s)) }
	if !same(v6("2001:db8::1"), v6("2001:db8::ffff")) || same(v6("2001:db8::1"), v6("2001:db8:0:1::1")) || same(v6("192.0.2.1"), v6("192.0.2.2")) {
		t.Error("networks are mixed up, or taken apart")
	}
}

func TestAPIKeys(t *testing.T) {
	k, text, err := domain.NewAPIKey(someone, uuid.Max, someone, "import", []string{"users.list", "files.get", "users.list"}, later, noon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if tenant, ok := domain.KeyTenant(text.Reveal()); !ok || tenant != uuid.Max || !strings.HasPrefix(text.Reveal(), users.KeyPrefix) {
		t.Errorf("the key names tenant %s, %v", tenant, ok)
	}
	if k.Digest != domain.DigestOf(text) || !strings.HasSuffix(text.Reveal(), k.Hint) || strings.Join(k.Operations, " ") != "files.get users.list" {
		t.Errorf("made %+v", k)
	}
	for name, expires := range map[string]time.Time{"now": noon, "before": noon.Add(-1), "in two years": noon.Add(2 * domain.MaxKeyLifetime)} {
		if _, _, err := domain.NewAPIKey(someone, uuid.Max, someone, "import", nil, expires, noon, rand.Reader); pointers(err) != "#/expires_at" {
			t.Errorf("a key that ends %s: %v", name, err)
		}
	}
}

// FuzzKeyTenant: there is one way to write a key.
func FuzzKeyTenant(f *testing.F) {
	f.Add(users.KeyPrefix + base64.RawURLEncoding.EncodeToString(make([]byte, 48)))
	f.Add(users.KeyPrefix + "AAAA")
	f.Add("eyJhbGciOiJFZERTQSJ9.e30.AA")
	f.Fuzz(func(t *testing.T, text string) {
		tenant, ok := domain.KeyTenant(text)
		if !ok {
			return
		}
		raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(text, users.KeyPrefix))
		if err != nil || string(raw[:16]) != string(tenant[:]) || users.KeyPrefix+base64.RawURLEncoding.EncodeToString(raw) != text {
			t.Fatalf("%q is taken for a key", text)
		}
	})
}

// FuzzKnownDevice: nothing passes for a device that was not made.
func FuzzKnownDevice(f *testing.F) {
	f.Add("ada@example.com", "AAAA")
	f.Fuzz(func(t *testing.T, email, device string) {
		if domain.KnownDevice([]byte("key"), uuid.Max, email, secret.New(device)) {
			t.Fatalf("%q is known", device)
		}
	})
}

func TestProfile(t *testing.T) {
	for text, want := range map[string]string{"": "", "en": "en", "de-ch": "de-CH", "zh-hant-tw": "zh-Hant-TW", "und": "!", "x": "!", "en_US.UTF-8": "!", "english": "!"} {
		if got, err := domain.ParseLocale(text); (err != nil) != (want == "!") || err == nil && got != want || err != nil && pointers(err) != "#/locale" {
			t.Errorf("locale %q: %q, %v", text, got, err)
		}
	}
	for text, ok := range map[string]bool{"": true, "Europe/Rome": true, "UTC": true, "Local": false, "Rome": false, "../etc/passwd": false} {
		if _, err := domain.ParseTimeZone(text); (err == nil) != ok || err != nil && pointers(err) != "#/time_zone" {
			t.Errorf("time zone %q: %v", text, err)
		}
	}
}

func TestPasswordsWithASecondFactorMayBeShorter(t *testing.T) {
	u, err := invited(t).Join("Ada", secret.New(goodPassword), plainSlot{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	short := secret.New("kurz+gut")
	if _, err := u.Rekey(secret.New(goodPassword), short, plainSlot{}, later); pointers(err) != "#/new" {
		t.Errorf("without a second factor: %v", err)
	}
	strong := u.Strengthen(later)
	rekeyed, err := strong.Rekey(secret.New(goodPassword), short, plainSlot{}, later)
	if err != nil || strong.AccessVersion != u.AccessVersion+1 {
		t.Fatalf("with a second factor: %v", err)
	}
	if _, err := strong.Rekey(secret.New(goodPassword), secret.New("kurz+gu"), plainSlot{}, later); pointers(err) != "#/new" {
		t.Errorf("seven characters: %v", err)
	}
	if _, err := strong.Rekey(secret.New(goodPassword), secret.New("password"), plainSlot{}, later); pointers(err) != "#/new" {
		t.Errorf("a common one: %v", err)
	}
	if _, err := rekeyed.Weaken(short, later); err == nil {
		t.Error("a short password was left to stand alone")
	}
	if weak, err := strong.Weaken(secret.New(goodPassword), later); err != nil || weak.SecondFactor {
		t.Errorf("weakened to %+v, %v", weak, err)
	}
}
