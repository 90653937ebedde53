package domain

import "strings"

// Limits of RFC 5321, in bytes.
const (
	maxEmail      = 254
	maxEmailLocal = 64
	maxLabel      = 63
)

// Email is an address as its owner writes it. The zero Email is none.
type Email struct{ text string }

// ParseEmail takes an address of ASCII characters, without a display name,
// comments or quotes, with spaces around it ignored. Refusing the exotic
// forms keeps two spellings from meaning one mailbox to a mail server and two
// users to us.
func ParseEmail(text string) (Email, error) {
	text = strings.TrimSpace(text)
	at := strings.LastIndexByte(text, '@')
	if at < 0 || len(text) > maxEmail || !isLocalPart(text[:at]) || !isMailDomain(text[at+1:]) {
		return Email{}, ErrInvalid.At("#/email", "must be an e-mail address such as name@example.com")
	}
	return Email{text}, nil
}

// KnownEmail takes an address that ParseEmail has accepted before, as it
// comes from the database.
func KnownEmail(text string) Email { return Email{text} }

// String is the address as it was given.
func (e Email) String() string { return e.text }

// MarshalText gives the address to JSON, in which results are kept for
// requests that come again.
func (e Email) MarshalText() ([]byte, error) { return []byte(e.text), nil }

// UnmarshalText takes back what MarshalText gave.
func (e *Email) UnmarshalText(text []byte) error {
	*e = KnownEmail(string(text))
	return nil
}

// Key is the address as it is compared: in lower case.
func (e Email) Key() string { return strings.ToLower(e.text) }

// Local is the part before the @.
func (e Email) Local() string {
	local, _, _ := strings.Cut(e.text, "@")
	return local
}

// isLocalPart accepts a dot-atom (RFC 5322, section 3.2.3).
func isLocalPart(s string) bool {
	if len(s) > maxEmailLocal {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !isAtomText(r) }) {
			return false
		}
	}
	return true
}

func isAtomText(r rune) bool {
	return isAlphanumeric(r) || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// isMailDomain accepts a host name of two labels or more.
func isMailDomain(s string) bool {
	if !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return !isAlphanumeric(r) && r != '-' }) {
			return false
		}
	}
	return true
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
