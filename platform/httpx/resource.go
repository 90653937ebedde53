package httpx

import (
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/insulahq/insula/platform/errs"
)

// ETag is the entity tag of a resource at a version (RFC 9110, section 8.8.3).
//
// Beside is what the answer shows that is not a part of the resource, and so
// changes without a new version: the roles of a user, one of which may end by
// itself. It makes another tag, so that nobody is told that nothing has
// changed. Who changes the resource is bound to the version alone.
func ETag(version int64, beside ...string) string {
	tag := `"v` + strconv.FormatInt(version, 10)
	if len(beside) > 0 {
		sum := fnv.New64a()
		for _, text := range beside {
			_, _ = io.WriteString(sum, strconv.Quote(text)) // a hash takes everything
		}
		tag += fmt.Sprintf("%s%0*x", besideMark, besideDigits, sum.Sum64())
	}
	return tag + `"`
}

// besideMark divides a tag into the version and a digest of what stands
// beside, of so many digits.
const (
	besideMark   = "-"
	besideDigits = 16
)

// IfMatch is embedded in the input of an operation that changes a resource.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the version you read. Required; * stands for any version." example:"\"v1\""`
}

// AnyVersion is what Version returns for "*".
const AnyVersion int64 = 0

// Version is the version the caller means. It returns
// errs.ErrPreconditionRequired without the header and
// errs.ErrPreconditionFailed for a tag that no version has.
func (m IfMatch) Version() (int64, error) {
	tag := strings.TrimSpace(m.IfMatch)
	switch tag {
	case "":
		return 0, errs.ErrPreconditionRequired.At("header.If-Match", "is required")
	case "*":
		return AnyVersion, nil
	}
	text, begins := strings.CutPrefix(tag, `"v`)
	text, ends := strings.CutSuffix(text, `"`)
	number, digest, besides := strings.Cut(text, besideMark)
	version, err := strconv.ParseInt(number, 10, 64)
	if !begins || !ends || err != nil || version <= 0 || strconv.FormatInt(version, 10) != number || besides && len(digest) != besideDigits {
		return 0, errs.ErrPreconditionFailed
	}
	return version, nil
}

// IfNoneMatch is embedded in the input of an operation that reads a resource.
type IfNoneMatch struct {
	IfNoneMatch string `header:"If-None-Match" doc:"Answer 304 without a body when this is still the ETag."`
}

// has compares weakly, as RFC 9110 section 13.1.2 wants it.
func (m IfNoneMatch) has(etag string) bool {
	for tag := range strings.SplitSeq(m.IfNoneMatch, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// Resource is the answer that shows one thing at one version.
type Resource[T any] struct {
	Status   int
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     T
}

// Show answers 200 with a resource, or 304 when the caller has it already. What
// it shows beside is as for ETag.
func Show[T any](body T, version int64, m IfNoneMatch, beside ...string) *Resource[T] {
	r := &Resource[T]{Status: http.StatusOK, ETag: ETag(version, beside...), Body: body}
	if m.IfNoneMatch != "" && m.has(r.ETag) {
		r.Status = http.StatusNotModified
	}
	return r
}

// Created answers 201 with a new resource and where it is.
func Created[T any](body T, version int64, location string, beside ...string) *Resource[T] {
	return &Resource[T]{Status: http.StatusCreated, ETag: ETag(version, beside...), Location: location, Body: body}
}

// Changed answers 200 with a resource as it is after a change.
func Changed[T any](body T, version int64, beside ...string) *Resource[T] {
	return &Resource[T]{Status: http.StatusOK, ETag: ETag(version, beside...), Body: body}
}

// Accepted is the answer to what takes longer than a request: Location is the
// operation to follow. Its route has the status 202.
type Accepted[T any] struct {
	Location string `header:"Location" doc:"The operation to follow."`
	Body     T
}

// Follow answers with the operation to follow.
func Follow[T any](body T, operation string) *Accepted[T] {
	return &Accepted[T]{Location: "/v1/operations/" + operation, Body: body}
}

// Answer is a plain JSON answer.
type Answer[T any] struct {
	Body T
}

// Nothing is the answer without a body: 204.
type Nothing struct{}
