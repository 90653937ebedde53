package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// mailKeep is how many mails are kept, in memory and on disk.
const mailKeep = 200

// message is one mail as the sink received it.
type message struct {
	ID       string    `json:"id"`
	Received time.Time `json:"received"`
	From     string    `json:"from"`
	To       []string  `json:"to"`
	Subject  string    `json:"subject"`
	Text     string    `json:"text"`
	raw      []byte
}

// mailbox keeps the last mails, the newest first.
type mailbox struct {
	dir string

	mu   sync.Mutex
	list []message
	last string
}

// openMailbox reads what earlier runs have received.
func openMailbox(dir string) (*mailbox, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the mail directory: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files) // names begin with the time
	b := &mailbox{dir: dir}
	for i, file := range files {
		if i < len(files)-mailKeep {
			_ = os.Remove(file) // only costs space
			continue
		}
		raw, err := os.ReadFile(file)
		info, statErr := os.Stat(file)
		if err := errors.Join(err, statErr); err != nil {
			return nil, fmt.Errorf("read mail: %w", err)
		}
		m := parseMail(raw, nil)
		m.ID, m.Received = strings.TrimSuffix(filepath.Base(file), ".eml"), info.ModTime().UTC()
		b.list = append([]message{m}, b.list...)
		b.last = m.ID
	}
	return b, nil
}

// add stores one mail that was sent to the given addresses.
func (b *mailbox) add(now time.Time, to []string, raw []byte) error {
	m := parseMail(raw, to)
	m.Received = now.UTC()
	b.mu.Lock()
	defer b.mu.Unlock()
	m.ID = m.Received.Format("20060102T150405.000000")
	for m.ID <= b.last { // two in one microsecond, or a clock set back
		m.ID = b.last + "a"
	}
	b.last = m.ID
	if err := os.WriteFile(b.file(m.ID), raw, 0o600); err != nil {
		return fmt.Errorf("store mail: %w", err)
	}
	b.list = append([]message{m}, b.list...)
	for len(b.list) > mailKeep {
		oldest := b.list[len(b.list)-1]
		b.list = b.list[:len(b.list)-1]
		if err := os.Remove(b.file(oldest.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop old mail: %w", err)
		}
	}
	return nil
}

func (b *mailbox) file(id string) string { return filepath.Join(b.dir, id+".eml") }

// all returns the mails, the newest first.
func (b *mailbox) all() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.list)
}

// get returns one mail.
func (b *mailbox) get(id string) (message, bool) {
	for _, m := range b.all() {
		if m.ID == id {
			return m, true
		}
	}
	return message{}, false
}

// parseMail reads headers and the plain text. What cannot be read is shown as
// it came: this is a place to look at broken mail, too.
func parseMail(raw []byte, to []string) message {
	m := message{To: to, raw: raw, Text: string(raw)}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m
	}
	words := new(mime.WordDecoder)
	header := func(name string) string {
		text := parsed.Header.Get(name)
		if decoded, err := words.DecodeHeader(text); err == nil {
			return decoded
		}
		return text
	}
	m.From, m.Subject = header("From"), header("Subject")
	if len(m.To) == 0 && header("To") != "" {
		m.To = []string{header("To")}
	}
	if text, ok := plainText(parsed.Header.Get, parsed.Body); ok {
		m.Text = text
	}
	return m
}

// plainText finds the first text/plain in a body, also inside multiparts.
func plainText(header func(string) string, body io.Reader) (string, bool) {
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		kind = "text/plain" // what a mail without the header is
	}
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return "", false
			}
			if text, ok := plainText(p.Header.Get, p); ok {
				return text, true
			}
		}
	case kind != "text/plain":
		return "", false
	}
	switch strings.ToLower(header("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	return strings.ToValidUTF8(string(text), "\ufffd"), err == nil
}
