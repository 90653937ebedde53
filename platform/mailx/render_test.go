package mailx_test

import (
	"context"
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/mailx"
)

func TestInvitation(t *testing.T) {
	m, err := mailx.Render(mailx.InvitationMail, mailx.Invitation{
		Tenant: "Acme & Sons", Inviter: "Ann", AcceptURL: "https://insula.example.com/accept?tenant=acme&token=t0ken", Expires: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	wantText := `Hello,

Ann invites you to join Acme & Sons. To accept, and to choose your password, open this link:

https://insula.example.com/accept?tenant=acme&token=t0ken

It works once, until 1 March 2026, 12:00 UTC. If you did not expect this mail, ignore it: nothing happens.
`
	if m.Subject != "You are invited to Acme & Sons" || m.Text != wantText || m.To != "" {
		t.Errorf("subject %q, text:\n%s", m.Subject, m.Text)
	}
	for _, want := range []string{
		`<a href="https://insula.example.com/accept?tenant=acme&amp;token=t0ken"`, "<p>Ann invites you to join <strong>Acme &amp; Sons</strong>.</p>", "</html>",
	} {
		if !strings.Contains(m.HTML, want) {
			t.Errorf("HTML lacks %s:\n%s", want, m.HTML)
		}
	}
	m.To = "bob@example.com"
	if err := new(mailx.Recorder).Send(context.Background(), m); err != nil {
		t.Error(err)
	}
}

func TestFirstAdministratorHasNoInviter(t *testing.T) {
	m, err := mailx.Render(mailx.InvitationMail, mailx.Invitation{Tenant: "Acme", AcceptURL: "https://x.test/", Expires: noon})
	if err != nil || !strings.Contains(m.Text, "You are invited to join Acme.") || !strings.Contains(m.HTML, "You are invited to join") {
		t.Errorf("%v\n%s", err, m.Text)
	}
}

func TestNamesCannotChangeAMail(t *testing.T) {
	m, err := mailx.Render(mailx.InvitationMail, mailx.Invitation{
		Tenant: "Acme\r\nBcc: eve@example.com\n\n", Inviter: "<script>alert(1)</script>\n\nhttps://eve.test", AcceptURL: "javascript:alert(1)", Expires: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "You are invited to Acme Bcc: eve@example.com" {
		t.Errorf("subject = %q", m.Subject)
	}
	if strings.Contains(m.Text, "\nhttps://eve.test") || strings.Contains(m.Text, "\nBcc") {
		t.Errorf("a name added lines:\n%s", m.Text)
	}
	if strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, "javascript:") {
		t.Errorf("a name added code:\n%s", m.HTML)
	}
}

func TestRenderRefusesWhatDoesNotFit(t *testing.T) {
	if _, err := mailx.Render("nothing", nil); err == nil {
		t.Error("rendered a mail that does not exist")
	}
	if _, err := mailx.Render(mailx.InvitationMail, map[string]any{"Tenant": "Acme"}); err == nil {
		t.Error("rendered a mail with data missing")
	}
	if _, err := mailx.Render(mailx.InvitationMail, struct{ Tenant string }{"Acme"}); err == nil {
		t.Error("rendered a mail from the wrong type")
	}
}
