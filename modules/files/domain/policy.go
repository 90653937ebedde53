package domain

import (
	"strings"
	"time"
)

// Policy is what a tenant allows of its files. It is resolved in one place and
// handed to everything that decides.
type Policy struct {
	MaxBytes   int64    // of one file
	QuotaBytes int64    // of all files together, whatever their status
	QuotaFiles int64    // how many files there may be, whatever their status
	Types      []string // content types that are taken: "image/png", "image/*"; empty for all

	Retention time.Duration // how long a deleted file can be brought back
	UploadTTL time.Duration // how long an upload may take
	LinkTTL   time.Duration // how long a link to the object store works

	Direct   bool // clients may send to the object store themselves
	Redirect bool // clients are sent to the object store to read
	Scan     bool // a scanner looks at content before anybody can read it

	SinglePut int64 // the largest content that is sent in one piece, in bytes
	PartSize  int64 // of larger ones, in bytes
	Inline    int64 // the largest content that is read through while its sender waits
}

// maxParts is how many parts an upload can have.
const maxParts = 10_000

// Method says how content is sent.
type Method string

// The methods.
const (
	Put       Method = "put"       // in one piece, to the object store
	Multipart Method = "multipart" // in parts, to the object store
	Through   Method = "content"   // through the server
)

// plan chooses how content of a size is sent, and how large its parts are.
func (p Policy) plan(size int64) (Method, int64) {
	switch {
	case !p.Direct || size == 0: // no link can be bound to being empty
		return Through, 0
	case size <= p.SinglePut:
		return Put, 0
	}
	part := p.PartSize
	for (size+part-1)/part > maxParts {
		part *= 2
	}
	return Multipart, part
}

// Takes reports whether content of a type may be kept. Parameters such as a
// charset do not matter.
func (p Policy) Takes(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	for _, t := range p.Types {
		family, isFamily := strings.CutSuffix(t, "*")
		if media == t || isFamily && strings.HasPrefix(media, family) {
			return true
		}
	}
	return len(p.Types) == 0
}

// Usage is what the files of a tenant take up, those that are pending or
// deleted included: their bytes are reserved, or still there.
type Usage struct {
	Bytes int64
	Files int64
}

// Left is what p still allows.
func (u Usage) Left(p Policy) Usage {
	return Usage{Bytes: max(0, p.QuotaBytes-u.Bytes), Files: max(0, p.QuotaFiles-u.Files)}
}
