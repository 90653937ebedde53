package domain

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io"

	"github.com/gabriel-vasile/mimetype"
)

// Content is what receiving the bytes of a file has shown of them.
type Content struct {
	Size        int64
	ContentType string
	SHA256      []byte
}

// Receiver reads the content of a file from a client, once, from the first
// byte to the last. It fails with ErrSize when there is less or more than
// declared, so that no store takes it for whole.
type Receiver struct {
	from        *bufio.Reader
	size        int64
	read        int64
	sum         hash.Hash
	contentType string
}

// Sniffed is how many bytes are looked at to find out what they are.
const Sniffed = 3072

// Sniff tells by its first bytes what content is.
func Sniff(r io.Reader) (string, error) {
	head, err := io.ReadAll(io.LimitReader(r, Sniffed))
	if err != nil {
		return "", err
	}
	return mimetype.Detect(head).String(), nil
}

// Receive begins to receive the content of a file of a declared size. It waits
// for the first bytes, to tell what they are.
func Receive(body io.Reader, size int64) (*Receiver, error) {
	from := bufio.NewReaderSize(body, Sniffed)
	head, err := from.Peek(Sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return &Receiver{from: from, size: size, sum: sha256.New(), contentType: mimetype.Detect(head).String()}, nil
}

// ContentType is what the first bytes show. What the client declared plays no
// part: the type is what others will be told.
func (r *Receiver) ContentType() string { return r.contentType }

// Read implements io.Reader.
func (r *Receiver) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.read += int64(n)
	switch {
	case r.read > r.size:
		return 0, ErrSize
	case errors.Is(err, io.EOF) && r.read < r.size:
		return n, ErrSize
	}
	r.sum.Write(p[:n])
	return n, err
}

// Finish tells what was received. It reads on to the end, which a store that
// was told the size may have left unread, and returns ErrSize when that is not
// where it was declared to be.
func (r *Receiver) Finish() (Content, error) {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return Content{}, err
	}
	return Content{Size: r.read, ContentType: r.contentType, SHA256: r.sum.Sum(nil)}, nil
}
