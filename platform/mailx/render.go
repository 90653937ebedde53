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
)

// Invitation is the data of the mail that asks somebody to join a tenant.
type Invitation struct {
	Tenant    string // its display name
	Inviter   string // display name; empty for the first administrator, whom the operator invites
	AcceptURL string // where the person accepts; holds the one-time token
	Expires   time.Time
}

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
