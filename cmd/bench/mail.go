package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// mailSink takes the invitations of the users that are added, and forgets
// them.
type mailSink struct {
	url    string
	server *smtp.Server
	taken  atomic.Int64
}

func startMail() (*mailSink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("mail sink: %w", err)
	}
	m := &mailSink{url: "smtp://" + l.Addr().String() + "?tls=none"}
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{m}, nil }))
	m.server.Domain = "localhost"
	m.server.EnableSMTPUTF8 = true
	m.server.ErrorLog = log.New(io.Discard, "", 0)
	go func() { _ = m.server.Serve(l) }() // ends with close
	return m, nil
}

func (m *mailSink) close() { _ = m.server.Close() }

// mailWait bounds the wait for the mails of one round.
const mailWait = 2 * time.Minute

// await waits until n mails have come, so that their delivery does not run
// into the next round.
func (m *mailSink) await(ctx context.Context, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, mailWait)
	defer cancel()
	return poll(ctx, func(context.Context) error {
		if taken := m.taken.Load(); taken < n {
			return fmt.Errorf("%d of %d invitations have come", taken, n)
		}
		return nil
	})
}

// mailSession is one connection of a mail client.
type mailSession struct{ sink *mailSink }

// Mail implements smtp.Session.
func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt implements smtp.Session.
func (mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

// Data implements smtp.Session.
func (s mailSession) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	s.sink.taken.Add(1)
	return err
}

// Reset implements smtp.Session.
func (mailSession) Reset() {}

// Logout implements smtp.Session.
func (mailSession) Logout() error { return nil }
