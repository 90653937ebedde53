package domain

import "github.com/insulahq/insula/platform/errs"

// Errors of the files module.
var (
	ErrNotFound      = errs.New(errs.NotFound, "files.not_found", "There is no such file.")
	ErrInvalid       = errs.New(errs.Invalid, "files.invalid", "The file has values that are not allowed.")
	ErrTooLarge      = errs.New(errs.TooLarge, "files.too_large", "The file is larger than allowed.")
	ErrQuota         = errs.New(errs.TooLarge, "files.quota_exceeded", "There is not enough room left for this file.")
	ErrNotReady      = errs.New(errs.Conflict, "files.not_ready", "The file has no content to read yet.")
	ErrQuarantined   = errs.New(errs.Conflict, "files.quarantined", "The content was found harmful and is kept away from everybody.")
	ErrLost          = errs.New(errs.Gone, "files.content_lost", "The content of this file is lost. Only what is known of it is left.")
	ErrDeleted       = errs.New(errs.Gone, "files.deleted", "The file was deleted. It can be brought back for a while.")
	ErrNotDeleted    = errs.New(errs.Conflict, "files.not_deleted", "The file is not deleted.")
	ErrFilled        = errs.New(errs.Conflict, "files.not_pending", "The file does not wait for content: it has some, or is no longer in use.")
	ErrSize          = errs.New(errs.Invalid, "files.size_mismatch", "The content is not as long as the file was declared to be.")
	ErrChecksum      = errs.New(errs.Invalid, "files.checksum_mismatch", "The content has another SHA-256 than the file was declared to have.")
	ErrType          = errs.New(errs.Invalid, "files.type_not_allowed", "Content of this type is not taken.")
	ErrIncomplete    = errs.New(errs.Conflict, "files.incomplete", "Not all of the content has arrived.")
	ErrShareNotFound = errs.New(errs.NotFound, "files.share_not_found", "There is no such link, or it leads nowhere any more.")
	ErrNotShared     = errs.New(errs.Forbidden, "files.not_shared", "Only who may read the content of a file can share it.")
	ErrNotYours      = errs.New(errs.Forbidden, "files.not_yours", "Only who declared the file can bring its content.")
	ErrNotReplaced   = errs.New(errs.Forbidden, "files.not_replaced", "This name belongs to a file of somebody else. To put a new version in its place takes the permission files.update.")
	ErrNameTaken     = errs.New(errs.Conflict, "files.name_taken", "Another file has this name in this folder.")
	ErrEarlier       = errs.New(errs.Conflict, "files.earlier_version", "An earlier version has the name of its newest one: rename that, or restore this one first.")
	ErrCurrent       = errs.New(errs.Conflict, "files.current_version", "This version carries the name already.")
)
