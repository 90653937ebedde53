// Package errs declares the errors a person may see.
//
// A domain declares each of its errors once, with a kind, a stable code and a
// sentence. Everything else that goes wrong is undeclared: it is logged whole
// and answered as an opaque internal error. Package httpx turns declared
// errors into problem documents (RFC 9457) in one place.
package errs

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Kind says what sort of refusal an error is. The HTTP status, and the exit
// code of a command, follow from it.
type Kind uint8

// The kinds, from the caller's mistakes to ours.
const (
	Internal             Kind = iota // ours; never explained to the caller
	Malformed                        // cannot be read at all
	Invalid                          // readable, but breaks a rule; Fields says which
	Unauthenticated                  // who is asking is not known
	Forbidden                        // known, but not allowed
	NotFound                         // no such thing for this caller
	MethodNotAllowed                 // the path exists, the method does not
	NotAcceptable                    // no representation the caller accepts
	Conflict                         // the state of things does not allow it
	Gone                             // it was there once
	PreconditionFailed               // the caller's version is not the current one
	PreconditionRequired             // the caller must say which version it means
	TooLarge                         // more bytes than allowed
	UnsupportedMedia                 // content type not understood
	RangeNotSatisfiable              // asked for bytes that are not there
	RateLimited                      // too many requests
	Unavailable                      // a part we need is away; try again
	Timeout                          // took longer than allowed
)

// Field names one wrong input: Pointer is a JSON pointer into the body
// (RFC 6901, as a fragment: "#/email") or "query.limit", "path.id",
// "header.If-Match". Detail is a sentence and never repeats the value.
type Field struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// Error is a declared error. Compare with errors.Is: two are the same when
// their codes are, whatever fields or causes they carry.
type Error struct {
	Kind       Kind
	Code       string        // stable, "<module>.<what>"
	Detail     string        // one sentence for a person
	Fields     []Field       // which inputs were wrong
	RetryAfter time.Duration // when to try again; zero says nothing
	cause      error
}

// New declares an error. Call it in a package-level var of a domain's
// errors.go, once for each code.
func New(kind Kind, code, detail string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail}
}

func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.cause)
	}
	return e.Code + ": " + e.Detail
}

// Unwrap returns the cause, which is logged and never shown.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is compare codes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// At returns a copy that names a wrong input.
func (e *Error) At(pointer, detail string) *Error {
	c := *e
	c.Fields = append(slices.Clone(e.Fields), Field{Pointer: pointer, Detail: detail})
	return &c
}

// Because returns a copy that carries a cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// After returns a copy that tells the caller when to try again.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// As finds the declared error in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf is the kind of the declared error in err's chain, else Internal.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}

// CodeOf is the stable code of err: "" for nil, "internal" when undeclared.
func CodeOf(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := As(err); ok {
		return e.Code
	}
	return ErrInternal.Code
}
