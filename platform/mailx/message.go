// Package mailx sends mail: messages rendered from templates of our own, through one SMTP server.
package mailx

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
)

// Message is one mail to one person, so that no recipient learns of another.
type Message struct {
	To      string // an address, with or without a name
	Subject string
	Text    string
	HTML    string // may be empty
}

// Sender sends messages. Errors wrap ErrTemporary or ErrPermanent.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

var (
	// ErrTemporary says that the same message may be accepted later: the server is busy, cannot be reached,
	// or refuses us for reasons that have nothing to do with the message.
	ErrTemporary = errors.New("mail could not be sent now")
	// ErrPermanent says that the message will never be accepted as it is: its address or content is refused.
	ErrPermanent = errors.New("mail cannot be sent")
)

// check refuses what could break out of its header line, and what is no address.
func (m Message) check() (*mail.Address, error) {
	if strings.IndexFunc(m.To+m.Subject, unicode.IsControl) >= 0 {
		return nil, fmt.Errorf("%w: control character in a header", ErrPermanent)
	}
	if m.Subject == "" || m.Text == "" {
		return nil, fmt.Errorf("%w: without subject or text", ErrPermanent)
	}
	to, err := mail.ParseAddress(m.To)
	if err != nil {
		return nil, fmt.Errorf("%w: recipient: %w", ErrPermanent, err)
	}
	if strings.IndexFunc(to.Name+to.Address, unicode.IsControl) >= 0 { // it may come encoded
		return nil, fmt.Errorf("%w: control character in the recipient", ErrPermanent)
	}
	return to, nil
}
