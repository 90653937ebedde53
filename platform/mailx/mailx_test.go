package mailx_test

import (
	"context"
	"crypto/tls"
	"errors"
	"mime"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/secret"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, s *sink, userinfo, mode string) *mailx.SMTP {
	t.Helper()
	sender, err := mailx.Open(mailx.Options{
		URL: secret.New("smtp://" + userinfo + s.addr + "?tls=" + mode), From: "Insula <no-reply@insula.test>",
		TLS: &tls.Config{RootCAs: s.roots}, Clock: clock.At(noon), IDs: id.NewSequence(1),
	})
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func hello(to string) mailx.Message {
	return mailx.Message{To: to, Subject: "Grüße", Text: "plain text", HTML: "<p>rich text</p>"}
}

func TestSendDelivers(t *testing.T) {
	for name, tt := range map[string]struct {
		secure, implicit bool
		user, mode       string
	}{
		"plain":                   {false, false, "", "none"},
		"plain with password":     {false, false, "mailer:p%40ss%3Aword@", "none"},
		"starttls":                {true, false, "", "starttls"},
		"starttls with password":  {true, false, "mailer:p%40ss%3Aword@", "starttls"},
		"implicit":                {false, true, "", "implicit"},
		"implicit with password":  {false, true, "mailer:p%40ss%3Aword@", "implicit"},
		"none although it offers": {true, false, "", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t, tt.secure, tt.implicit)
			if err := open(t, s, tt.user, tt.mode).Send(context.Background(), hello("Ann <ann@example.com>")); err != nil {
				t.Fatal(err)
			}
			if len(s.all()) != 1 {
				t.Fatalf("%d messages arrived", len(s.all()))
			}
			got := s.all()[0]
			if got.tls != (tt.mode != "none") || (got.user != "") != (tt.user != "") {
				t.Errorf("tls %v, user %q", got.tls, got.user)
			}
			if got.from != "no-reply@insula.test" || strings.Join(got.to, ",") != "ann@example.com" {
				t.Errorf("envelope from %s to %s", got.from, got.to)
			}
			checkHeaders(t, got)
			if !strings.Contains(got.body, "plain text") || !strings.Contains(got.body, "<p>rich text</p>") {
				t.Errorf("body = %s", got.body)
			}
		})
	}
}

func checkHeaders(t *testing.T, got delivered) {
	t.Helper()
	subject, err := new(mime.WordDecoder).DecodeHeader(got.message.Header.Get("Subject"))
	if err != nil || subject != "Grüße" {
		t.Errorf("subject = %q, %v", subject, err)
	}
	for header, want := range map[string]string{
		"From":           `"Insula" <no-reply@insula.test>`,
		"To":             `"Ann" <ann@example.com>`,
		"Date":           "Sun, 01 Mar 2026 12:00:00 +0000",
		"Message-Id":     "<" + id.NewSequence(1).New().String() + "@insula.test>",
		"Auto-Submitted": "auto-generated",
		"User-Agent":     "",
		"X-Mailer":       "",
	} {
		if value := got.message.Header.Get(header); value != want {
			t.Errorf("%s: %q, want %q", header, value, want)
		}
	}
}

func TestTLSIsNeverGivenUp(t *testing.T) {
	m := hello("ann@example.com")
	plain := newSink(t, false, false)
	if err := open(t, plain, "", "starttls").Send(context.Background(), m); !errors.Is(err, mailx.ErrTemporary) {
		t.Errorf("server without STARTTLS: %v", err)
	}
	if err := open(t, plain, "", "implicit").Send(context.Background(), m); !errors.Is(err, mailx.ErrTemporary) {
		t.Errorf("server without TLS: %v", err)
	}
	secure, other := newSink(t, true, false), newSink(t, true, false)
	secure.roots = other.roots
	if err := open(t, secure, "", "starttls").Send(context.Background(), m); !errors.Is(err, mailx.ErrTemporary) {
		t.Errorf("certificate nobody trusts: %v", err)
	}
	if len(plain.all())+len(secure.all()) != 0 {
		t.Error("the message was sent all the same")
	}
}

func TestErrorsSayWhetherToTryAgain(t *testing.T) {
	s := newSink(t, false, false)
	good := open(t, s, "", "none")
	dead := newSink(t, false, false)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.addr = listener.Addr().String()
	listener.Close()

	spam := hello("ann@example.com")
	spam.Subject = "spam"
	noText := hello("ann@example.com")
	noText.Text = ""
	for name, tt := range map[string]struct {
		sender  mailx.Sender
		message mailx.Message
		want    error
	}{
		"unknown mailbox": {good, hello("unknown@example.com"), mailx.ErrPermanent},
		"mailbox full":    {good, hello("full@example.com"), mailx.ErrTemporary},
		"content refused": {good, spam, mailx.ErrPermanent},
		"no address":      {good, hello("ann"), mailx.ErrPermanent},
		"two addresses":   {good, hello("ann@example.com, bob@example.com"), mailx.ErrPermanent},
		"no text":         {good, noText, mailx.ErrPermanent},
		"nobody listens":  {open(t, dead, "", "none"), hello("ann@example.com"), mailx.ErrTemporary},
		"wrong password":  {open(t, s, "mailer:wrong@", "none"), hello("ann@example.com"), mailx.ErrTemporary},
	} {
		err := tt.sender.Send(context.Background(), tt.message)
		if !errors.Is(err, tt.want) || errors.Is(err, mailx.ErrTemporary) && errors.Is(err, mailx.ErrPermanent) {
			t.Errorf("%s: error = %v, want %v", name, err, tt.want)
		}
	}
	if len(s.all()) != 0 {
		t.Errorf("%d messages arrived", len(s.all()))
	}
}

func TestTheContextEndsADelivery(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes the connection and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		if c, err := silent.Accept(); err == nil {
			cancel()
			_, _ = c.Read(make([]byte, 1)) // until the sender hangs up
			c.Close()
		}
	}()
	sender := open(t, &sink{addr: silent.Addr().String()}, "", "none")
	start := time.Now()
	if err := sender.Send(ctx, hello("ann@example.com")); !errors.Is(err, mailx.ErrTemporary) {
		t.Errorf("error = %v", err)
	}
	if waited := time.Since(start); waited > 5*time.Second {
		t.Errorf("waited %v for a server that says nothing", waited)
	}
}

func TestNoHeaderCanBeInjected(t *testing.T) {
	s := newSink(t, false, false)
	smtp := open(t, s, "", "none")
	recorder := &mailx.Recorder{}
	for _, attack := range []mailx.Message{
		{To: "ann@example.com\r\nBcc: eve@example.com", Subject: "x", Text: "x"},
		{To: "ann@example.com\nBcc: eve@example.com", Subject: "x", Text: "x"},
		{To: "Ann\r\nX: y <ann@example.com>", Subject: "x", Text: "x"},
		{To: "=?utf-8?q?Ann=0D=0ABcc:_eve@example.com?= <ann@example.com>", Subject: "x", Text: "x"},
		{To: "\"a\r\nb\"@example.com", Subject: "x", Text: "x"},
		{To: "ann@example.com", Subject: "x\r\nBcc: eve@example.com", Text: "x"},
		{To: "ann@example.com", Subject: "x\nBcc: eve@example.com", Text: "x"},
		{To: "ann@example.com", Subject: "x\r\n\r\n<script>", Text: "x"},
		{To: "ann@example.com", Subject: "x\x00y", Text: "x"},
	} {
		for _, sender := range []mailx.Sender{smtp, recorder} {
			if err := sender.Send(context.Background(), attack); !errors.Is(err, mailx.ErrPermanent) {
				t.Errorf("%T took %q, %q: %v", sender, attack.To, attack.Subject, err)
			}
		}
	}
	if len(s.all())+len(recorder.Sent()) != 0 {
		t.Error("a message was sent all the same")
	}

	// What looks like the end of the message or like headers in the text stays text.
	text := "first\r\n.\r\nMAIL FROM:<eve@example.com>\r\nBcc: eve@example.com"
	if err := smtp.Send(context.Background(), mailx.Message{To: "ann@example.com", Subject: "x", Text: text}); err != nil {
		t.Fatal(err)
	}
	if got := s.all(); len(got) != 1 || got[0].message.Header.Get("Bcc") != "" || !strings.Contains(got[0].body, "eve@example.com") {
		t.Errorf("arrived: %+v", got)
	}
}

func TestOpenRefusesBadSettingsWithoutQuotingThem(t *testing.T) {
	for _, address := range []string{
		"", "hunter2", "http://u:hunter2@h", "smtp://u:hunter2@", "smtp://u:hunter2@h:0", "smtp://u:hunter2@h:99999", "smtp://u:hunter2@h/path",
		"smtp://u:hunter2@h?tls=maybe", "smtp://u:hunter2@h?tls=none&tls=starttls", "smtp://u:hunter2@h?tsl=none", "smtp://u:hunter2\x7f@h", "smtp://u:hunter2@h:x",
	} {
		_, err := mailx.Open(mailx.Options{URL: secret.New(address), From: "a@b.test"})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error = %v", address, err)
		}
	}
	if _, err := mailx.Open(mailx.Options{URL: secret.New("smtp://h"), From: "nobody"}); err == nil {
		t.Error("a sender that is no address was taken")
	}
}

func TestRecorder(t *testing.T) {
	r := &mailx.Recorder{}
	broken := errors.New("broken")
	first, second := hello("ann@example.com"), hello("ann@example.com")
	second.Subject = "second"
	for _, m := range []mailx.Message{first, second, hello("bob@example.com")} {
		if err := r.Send(context.Background(), m); err != nil {
			t.Fatal(err)
		}
	}
	r.FailWith(broken)
	if err := r.Send(context.Background(), first); !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
	if len(r.Sent()) != 3 {
		t.Errorf("sent = %v", r.Sent())
	}
	if m, ok := r.Last("ann@example.com"); !ok || m != second {
		t.Errorf("last = %v, %v", m, ok)
	}
	if _, ok := r.Last("eve@example.com"); ok {
		t.Error("found a message nobody sent")
	}
}
