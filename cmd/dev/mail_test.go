package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/url"
	"strings"
	"testing"
	"time"
)

// startTestMail starts the sink and returns the URL for sending and the page's.
func startTestMail(t *testing.T, dir string) (smtpURL *url.URL, page string) {
	t.Helper()
	addr := freeAddress(t)
	text, p, err := startMail(address{host: "127.0.0.1"}, addr, dir, "smtp password")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u, addr.local()
}

// fetch reads one page.
func fetch(t *testing.T, url string) (string, http.Header) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", url, resp.StatusCode, err)
	}
	return string(text), resp.Header
}

const testMail = "From: Insula <no-reply@insula.localhost>\r\nTo: ada@acme.example\r\nSubject: =?UTF-8?q?Gr=C3=BC=C3=9Fe_<script>alert(1)</script>?=\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=cut\r\n\r\n" +
	"--cut\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"Open https://acme.example/invite?token=3Dabc&x=3D1. <img src=3Dx onerror=3Dalert(1)>\r\n" +
	"--cut\r\nContent-Type: text/html\r\n\r\n<b>html</b>\r\n--cut--\r\n"

func TestMailArrivesOnThePage(t *testing.T) {
	dir := t.TempDir()
	to, page := startTestMail(t, dir)
	password, _ := to.User.Password()
	auth := smtp.PlainAuth("", to.User.Username(), password, to.Hostname())
	if err := smtp.SendMail(to.Host, auth, "no-reply@insula.localhost", []string{"ada@acme.example"}, []byte(testMail)); err != nil {
		t.Fatalf("send: %v", err)
	}

	text, _ := fetch(t, page+"/messages.json")
	var list struct{ Items []message }
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Items) != 1 {
		t.Fatalf("list = %s, %v", text, err)
	}
	m := list.Items[0]
	if m.Subject != "Grüße <script>alert(1)</script>" || m.To[0] != "ada@acme.example" || !strings.Contains(m.Text, "token=abc&x=1.") {
		t.Errorf("mail = %+v", m)
	}
	shown, header := fetch(t, page+"/messages/"+m.ID)
	if !strings.Contains(shown, `<a href="https://acme.example/invite?token=abc&amp;x=1"`) {
		t.Errorf("no link in %s", shown)
	}
	for _, place := range []string{page + "/", page + "/messages/" + m.ID} {
		if html, _ := fetch(t, place); strings.Contains(html, "<script") || strings.Contains(html, "<img") {
			t.Errorf("%s lets the mail's markup through", place)
		}
	}
	if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy = %q", policy)
	}
	if raw, header := fetch(t, page+"/messages/"+m.ID+"/raw"); strings.TrimSpace(raw) != strings.TrimSpace(testMail) || !strings.HasPrefix(header.Get("Content-Type"), "text/plain") {
		t.Errorf("raw = %q as %s", raw, header.Get("Content-Type"))
	}
	again, err := openMailbox(dir)
	if err != nil || len(again.all()) != 1 || again.all()[0].Subject != m.Subject {
		t.Errorf("after a restart: %+v, %v", again, err)
	}
}

func TestMailNeedsThePassword(t *testing.T) {
	to, _ := startTestMail(t, t.TempDir())
	if err := smtp.SendMail(to.Host, nil, "a@b.example", []string{"c@d.example"}, []byte("x")); err == nil {
		t.Error("mail without a password was accepted")
	}
	auth := smtp.PlainAuth("", to.User.Username(), "wrong", to.Hostname())
	if err := smtp.SendMail(to.Host, auth, "a@b.example", []string{"c@d.example"}, []byte("x")); err == nil {
		t.Error("a wrong password was accepted")
	}
}

func TestMailboxKeepsTheLastOnes(t *testing.T) {
	dir := t.TempDir()
	box, err := openMailbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) // the same for all: names must differ anyway
	for i := range mailKeep + 5 {
		if err := box.add(now, []string{"x@y.example"}, fmt.Appendf(nil, "Subject: %d\r\n\r\nx", i)); err != nil {
			t.Fatal(err)
		}
	}
	list := box.all()
	if len(list) != mailKeep || list[0].Subject != fmt.Sprint(mailKeep+4) || list[mailKeep-1].Subject != "5" {
		t.Fatalf("%d mails from %s to %s", len(list), list[0].Subject, list[len(list)-1].Subject)
	}
	again, err := openMailbox(dir)
	if err != nil || len(again.all()) != mailKeep || again.all()[0].Subject != list[0].Subject {
		t.Fatalf("after a restart: %d mails, %v", len(again.all()), err)
	}
}

func TestMailPageRefusesForeignNames(t *testing.T) {
	box, err := openMailbox(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"127.0.0.1:8025": 200, "localhost:8025": 200, "[::1]:8025": 200, "evil.example:8025": 421} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		mailPage(box).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("host %s: %d, want %d", host, w.Code, want)
		}
	}
}
