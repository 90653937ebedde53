package mailx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	stdmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/secret"
)

// sendTimeout bounds each step of a delivery: the connection, and every exchange with the server.
const sendTimeout = 15 * time.Second

// Options says how mail leaves.
type Options struct {
	// URL is smtp://[user:password@]host[:port][?tls=none|starttls|implicit]. TLS is starttls unless given,
	// and never given up when the server does not offer it. The port is 465 with implicit, else 587.
	URL   secret.Value
	From  string      // sender of all mail
	TLS   *tls.Config // nil: the certificates the machine trusts
	Clock clock.Clock
	IDs   id.Source
}

// SMTP sends mail to an SMTP server, one connection per message. Safe for concurrent use.
type SMTP struct {
	server server
	from   *stdmail.Address
	domain string // of the sender: names us to the server and in message ids, instead of the machine's name
	clock  clock.Clock
	ids    id.Source
}

// Open reads the options; it does not connect.
func Open(o Options) (*SMTP, error) {
	s, err := parseURL(o.URL)
	if err != nil {
		return nil, fmt.Errorf("SMTP URL: %w", err)
	}
	from, err := stdmail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("sender of mail: %w", err)
	}
	s.tls = &tls.Config{}
	if o.TLS != nil {
		s.tls = o.TLS.Clone()
	}
	s.tls.ServerName = s.host
	s.tls.MinVersion = max(s.tls.MinVersion, tls.VersionTLS12)
	_, domain, _ := strings.Cut(from.Address, "@")
	return &SMTP{server: s, from: from, domain: domain, clock: o.Clock, ids: o.IDs}, nil
}

// server is a parsed URL.
type server struct {
	host     string
	port     int
	user     string
	password secret.Value
	mode     string
	tls      *tls.Config
}

const (
	modeNone     = "none"
	modeStartTLS = "starttls"
	modeImplicit = "implicit"
)

// parseURL never puts the URL into an error: it holds the password.
func parseURL(address secret.Value) (server, error) {
	u, err := url.Parse(address.Reveal())
	if err != nil {
		return server{}, errors.New("is malformed")
	}
	if u.Scheme != "smtp" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return server{}, errors.New("must look like smtp://user:password@host:port?tls=starttls")
	}
	s := server{host: u.Hostname(), port: 587, mode: modeStartTLS, user: u.User.Username()}
	if password, ok := u.User.Password(); ok {
		s.password = secret.New(password)
	}
	for name, values := range u.Query() {
		if name != "tls" || len(values) != 1 {
			return server{}, errors.New("has a parameter other than one tls")
		}
		s.mode = values[0]
	}
	switch s.mode {
	case modeNone, modeStartTLS:
	case modeImplicit:
		s.port = 465
	default:
		return server{}, errors.New("tls must be none, starttls or implicit")
	}
	if port := u.Port(); port != "" {
		if s.port, err = strconv.Atoi(port); err != nil || s.port < 1 || s.port > 65535 {
			return server{}, errors.New("has no valid port")
		}
	}
	return s, nil
}

// Send delivers a message to the server.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	to, err := m.check()
	if err != nil {
		return err
	}
	message := s.compose(to, m)

	// The library looks at the context only while dialling, and leaves the connection open when signing in
	// fails: so the connection is closed with the context, and at the end in any case.
	hangUp := func() {}
	defer func() { hangUp() }()
	client, err := s.client(func(dialing context.Context, network, address string) (net.Conn, error) {
		connection, err := s.dial(dialing, network, address)
		if err == nil {
			stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
			hangUp = func() { stop(); _ = connection.Close() }
		}
		return connection, err
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTemporary, err)
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("%w: connect: %w", ErrTemporary, err)
	}
	if err := client.SendWithSMTPClient(session, message); err != nil {
		return classify(err)
	}
	_ = session.Quit() // the message is accepted; a failed farewell must not have it sent again
	return nil
}

func (s *SMTP) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if s.server.mode == modeImplicit {
		return (&tls.Dialer{Config: s.server.tls}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (s *SMTP) client(dial mail.DialContextFunc) (*mail.Client, error) {
	options := []mail.Option{
		mail.WithPort(s.server.port), mail.WithHELO(s.domain), mail.WithTimeout(sendTimeout),
		mail.WithTLSConfig(s.server.tls), mail.WithDialContextFunc(dial),
	}
	switch s.server.mode {
	case modeNone:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case modeStartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case modeImplicit:
		options = append(options, mail.WithSSL())
	}
	if s.server.user != "" {
		options = append(options, mail.WithUsername(s.server.user), mail.WithPassword(s.server.password.Reveal()))
		if s.server.mode == modeNone { // chosen by the operator, for a server on the same machine or network
			options = append(options, mail.WithSMTPAuth(mail.SMTPAuthPlainNoEnc))
		} else {
			options = append(options, mail.WithOpportunisticSMTPAuth(mail.SMTPAuthPlain, mail.SMTPAuthLogin))
		}
	}
	return mail.NewClient(s.server.host, options...)
}

func (s *SMTP) compose(to *stdmail.Address, m Message) *mail.Msg {
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	message.FromMailAddress(s.from)
	message.ToMailAddress(to)
	message.Subject(m.Subject)
	message.SetDateWithValue(s.clock.Now())
	message.SetMessageIDWithValue(s.ids.New().String() + "@" + s.domain)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: keeps absence notes from answering
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		message.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	}
	return message
}

// classify says whether trying again can help. Only the server's own final refusal of this message is
// permanent; a lost connection, a full mailbox or a wrong password of ours is not the message's fault.
func classify(err error) error {
	var refused *mail.SendError
	if errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500 {
		return fmt.Errorf("%w: %w", ErrPermanent, err)
	}
	return fmt.Errorf("%w: %w", ErrTemporary, err)
}
