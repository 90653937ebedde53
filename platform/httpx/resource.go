package httpx

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/insulahq/insula/platform/errs"
)

// ETag is the entity tag of a resource at a version (RFC 9110, section 8.8.3).
func ETag(version int64) string { return `"v` + strconv.FormatInt(version, 10) + `"` }

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
	number, ok := strings.CutPrefix(strings.TrimSuffix(tag, `"`), `"v`)
	version, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || version <= 0 || ETag(version) != tag {
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

// Show answers 200 with a resource, or 304 when the caller has it already.
func Show[T any](body T, version int64, m IfNoneMatch) *Resource[T] {
	r := &Resource[T]{Status: http.StatusOK, ETag: ETag(version), Body: body}
	if m.IfNoneMatch != "" && m.has(r.ETag) {
		r.Status = http.StatusNotModified
	}
	return r
}

// Created answers 201 with a new resource and where it is.
func Created[T any](body T, version int64, location string) *Resource[T] {
	return &Resource[T]{Status: http.StatusCreated, ETag: ETag(version), Location: location, Body: body}
}

// Changed answers 200 with a resource as it is after a change.
func Changed[T any](body T, version int64) *Resource[T] {
	return &Resource[T]{Status: http.StatusOK, ETag: ETag(version), Body: body}
}

// Answer is a plain JSON answer.
type Answer[T any] struct {
	Body T
}

// Nothing is the answer without a body: 204.
type Nothing struct{}
