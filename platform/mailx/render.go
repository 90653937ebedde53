package mailx

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
	"time"
)

// Each mail is two files: <name>.txt.tmpl, which also defines the subject, and <name>.html.tmpl, which
// defines the content of layout.html.tmpl.
//
//go:embed templates/*.tmpl
var files embed.FS

// Names of the mails, with the data each is rendered from.
const (
	InvitationMail = "invitation" // Invitation
	ResetMail      = "reset"      // Confirmation
	EmailMail      = "email"      // Confirmation
	NoticeMail     = "notice"     // Notice
)

// Invitation is the data of the mail that asks somebody to join a tenant.
type Invitation struct {
	Tenant    string // its display name
	Inviter   string // display name; empty for the first administrator, whom the operator invites
	AcceptURL string // where the person accepts; holds the one-time token
	Expires   time.Time
}

// Confirmation is the data of the mails that ask for a proof that they were
// read.
type Confirmation struct {
	Tenant  string
	URL     string // holds the one-time token
	Expires time.Time
}

// Notice is the data of the mail that tells what happened to an account.
type Notice struct {
	Tenant string
	Event  Event
}

// Event is what a notice tells.
type Event string

// The events. Each is a sentence, and the subject of the mail.
const (
	PasswordChanged      Event = "Your password was changed"
	PasswordReset        Event = "Your password was reset"
	EmailChanged         Event = "Your e-mail address was changed"
	SecondFactorSet      Event = "A second factor was added to your account"
	SecondFactorRemoved  Event = "The second factor was removed from your account"
	RecoveryCodeUsed     Event = "A recovery code was used to sign in to your account"
	RecoveryCodesRenewed Event = "The recovery codes of your account were replaced"
)

// Render returns the message of this name, without a recipient.
func Render(name string, data any) (Message, error) {
	functions := map[string]any{"line": line, "date": date}
	text, err := texttemplate.New(name).Funcs(functions).Option("missingkey=error").ParseFS(files, "templates/"+name+".txt.tmpl")
	if err != nil {
		return Message{}, fmt.Errorf("mail %q: %w", name, err)
	}
	html, err := htmltemplate.New(name).Funcs(functions).Option("missingkey=error").
		ParseFS(files, "templates/layout.html.tmpl", "templates/"+name+".html.tmpl")
	if err != nil {
		return Message{}, fmt.Errorf("mail %q: %w", name, err)
	}

	var subject, plain, rich strings.Builder
	if err := text.ExecuteTemplate(&subject, "subject", data); err != nil {
		return Message{}, fmt.Errorf("mail %q: %w", name, err)
	}
	if err := text.ExecuteTemplate(&plain, name+".txt.tmpl", data); err != nil {
		return Message{}, fmt.Errorf("mail %q: %w", name, err)
	}
	if err := html.ExecuteTemplate(&rich, "layout.html.tmpl", data); err != nil {
		return Message{}, fmt.Errorf("mail %q: %w", name, err)
	}
	return Message{Subject: line(subject.String()), Text: strings.TrimLeft(plain.String(), "\n"), HTML: rich.String()}, nil
}

// line makes a text fit into one line: names come from people, and must not add lines to a mail.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

func date(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
