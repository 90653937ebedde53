package errs

import "time"

// Errors that belong to no module. A module's own errors live in its domain.
var (
	ErrInternal             = New(Internal, "internal", "Something went wrong on our side.")
	ErrMalformed            = New(Malformed, "malformed", "The request could not be read.")
	ErrInvalid              = New(Invalid, "invalid", "The request has values that are not allowed.")
	ErrUnauthenticated      = New(Unauthenticated, "unauthenticated", "Sign in first: this needs a valid access token.")
	ErrForbidden            = New(Forbidden, "forbidden", "You do not have the permission this needs.")
	ErrSecondFactorRequired = New(Forbidden, "second_factor_required", "Everybody in this tenant needs a second factor. Set one up first.")
	ErrNotFound             = New(NotFound, "not_found", "There is nothing here.")
	ErrMethodNotAllowed     = New(MethodNotAllowed, "method_not_allowed", "This address does not answer to that method.")
	ErrNotAcceptable        = New(NotAcceptable, "not_acceptable", "None of the accepted content types can be produced.")
	ErrConflict             = New(Conflict, "conflict", "The change conflicts with the current state.")
	ErrPreconditionFailed   = New(PreconditionFailed, "precondition_failed", "This was changed by someone else since you read it. Read it again.")
	ErrPreconditionRequired = New(PreconditionRequired, "precondition_required", "Send the If-Match header with the ETag you read.")
	ErrTooLarge             = New(TooLarge, "too_large", "The request body is larger than allowed.")
	ErrUnsupportedMedia     = New(UnsupportedMedia, "unsupported_media_type", "Send the body with a supported Content-Type.")
	ErrRateLimited          = New(RateLimited, "rate_limited", "Too many requests. Wait before trying again.")
	ErrUnavailable          = New(Unavailable, "unavailable", "A part we depend on is not reachable right now. Try again.").After(time.Second)
	ErrTimeout              = New(Timeout, "timeout", "The request took longer than allowed.")
)
