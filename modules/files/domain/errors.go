package domain

import "github.com/insulahq/insula/platform/errs"

// Errors of the files module.
var (
	ErrNotFound = errs.New(errs.NotFound, "files.not_found", "There is no such file.")
	ErrInvalid  = errs.New(errs.Invalid, "files.invalid", "The file has values that are not allowed.")
	ErrTooLarge = errs.New(errs.TooLarge, "files.too_large", "The file is larger than allowed.")
	ErrNotReady = errs.New(errs.Conflict, "files.not_ready", "The file has no content to read yet.")
	ErrFilled   = errs.New(errs.Conflict, "files.not_pending", "The file does not wait for content: it has some, or is no longer in use.")
	ErrSize     = errs.New(errs.Invalid, "files.size_mismatch", "The content is not as long as the file was declared to be.")
)
