package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const (
	smtpUser = "insula"
	// mailMaxBytes is the size of the largest mail the sink takes.
	mailMaxBytes = 10 << 20
	// mailTimeout bounds one read or write of a mail client.
	mailTimeout = 30 * time.Second
)

// startMail runs a mail server that delivers to nobody and shows what it got
// on a page at addr. It takes mail at sink and returns the URL for sending.
func startMail(sinkAddr, addr address, dir, password string) (string, part, error) {
	box, err := openMailbox(dir)
	if err != nil {
		return "", part{}, err
	}
	smtpListener, err := net.Listen("tcp", sinkAddr.String())
	if err != nil {
		return "", part{}, fmt.Errorf("start the mail sink: %w", err)
	}
	pageListener, err := net.Listen("tcp", addr.String())
	if err != nil {
		return "", part{}, errors.Join(fmt.Errorf("start the mail page: %w", err), smtpListener.Close())
	}
	sink := newSink(box, password)
	page := &http.Server{Handler: mailPage(box), ReadHeaderTimeout: mailTimeout}
	failed := make(chan error, 2)
	go func() { failed <- sink.Serve(smtpListener) }()
	go func() { failed <- page.Serve(pageListener) }()
	p := part{name: "mail", done: make(chan struct{}), limit: 2 * time.Second}
	done := make(chan struct{})
	var ended error
	go func() {
		ended = <-failed
		close(done)
	}()
	p.done = done
	p.err = func() error { return ended }
	p.stop = func(context.Context) error {
		err := errors.Join(sink.Close(), page.Close())
		<-done
		return err
	}
	u := url.URL{Scheme: "smtp", User: url.UserPassword(smtpUser, password), Host: smtpListener.Addr().String(), RawQuery: "tls=none"}
	return u.String(), p, nil
}

// newSink makes the server. It insists on a password, because the servers of
// production do, and a client that forgets it should fail here.
func newSink(box *mailbox, password string) *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{box: box, password: password}, nil
	}))
	s.Domain = "localhost"
	s.AllowInsecureAuth = true // loopback only
	s.EnableSMTPUTF8 = true
	s.MaxMessageBytes = mailMaxBytes
	s.MaxRecipients = 100
	s.ReadTimeout, s.WriteTimeout = mailTimeout, mailTimeout
	s.ErrorLog = log.New(io.Discard, "", 0) // a client that hangs up is no news
	return s
}

// session is one connection of a mail client.
type session struct {
	box      *mailbox
	password string
	known    bool
	to       []string
}

// The server asks for these methods only where a session has them.
var _ smtp.AuthSession = (*session)(nil)

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != smtpUser || subtle.ConstantTimeCompare([]byte(password), []byte(s.password)) != 1 {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return s.box.add(time.Now(), s.to, raw)
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.to = nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }
