package domain

import "github.com/insulahq/insula/platform/errs"

// Errors of the tenants module.
var (
	ErrNotFound      = errs.New(errs.NotFound, "tenants.not_found", "There is no such tenant.")
	ErrSlugTaken     = errs.New(errs.Conflict, "tenants.slug_taken", "Another tenant already has this slug.").At("#/slug", "is taken")
	ErrLandlord      = errs.New(errs.Conflict, "tenants.landlord", "The operator's own tenant cannot be suspended.")
	ErrLandlordStays = errs.New(errs.Conflict, "tenants.landlord", "The operator's own tenant cannot be deleted.")
	ErrLandlordTaken = errs.New(errs.Conflict, "tenants.landlord_exists", "There is an operator's tenant already.")
	ErrStatus        = errs.New(errs.Conflict, "tenants.status", "The tenant is not in a state that allows this.")
	ErrInvalid       = errs.New(errs.Invalid, "tenants.invalid", "The tenant has values that are not allowed.")
	ErrNotDeleted    = errs.New(errs.Conflict, "tenants.not_deleted", "Only a tenant that was deleted before can be erased.")
	ErrOtherSlug     = errs.New(errs.Invalid, "tenants.other_slug", "The slug is not that of the tenant.").At("#/slug", "must be the slug of the tenant that is to be erased")
	ErrNoReceipt     = errs.New(errs.NotFound, "tenants.receipt_not_found", "There is no receipt of this tenant: it was not erased, or not yet.")
	ErrConcluded     = errs.New(errs.Conflict, "tenants.concluded", "The receipt of this tenant was signed already.")
	ErrNoOperation   = errs.New(errs.NotFound, "tenants.operation_not_found", "There is no such operation.")

	ErrNoBackup     = errs.New(errs.NotFound, "tenants.backup_not_found", "There is no such backup of this tenant.")
	ErrNotComplete  = errs.New(errs.Conflict, "tenants.backup_not_complete", "The backup is not complete.")
	ErrBusy         = errs.New(errs.Conflict, "tenants.busy", "Another backup, restore or clone of this tenant is under way. Try again when it is over.")
	ErrNotDue       = errs.New(errs.Conflict, "tenants.backup_not_due", "It is not time for a backup of this tenant.")
	ErrBackupInUse  = errs.New(errs.Conflict, "tenants.backup_in_use", "A tenant is being restored from the backup.")
	ErrLandlordCopy = errs.New(errs.Conflict, "tenants.landlord_copy", "The operator's own tenant is kept with the database, not by itself.")
	ErrArchive      = errs.New(errs.Conflict, "tenants.archive_damaged", "The archive is not what was written. Nothing was restored from it.")
	ErrArchiveNewer = errs.New(errs.Conflict, "tenants.archive_newer", "The archive is of a schema that this version of Insula does not know.")
	ErrDrift        = errs.New(errs.Conflict, "tenants.schema_drift", "The tenant's schema was changed by hand. Its archive could not be restored; put the schema right first.")
	ErrFileMissing  = errs.New(errs.Conflict, "tenants.file_missing", "The content of a file is missing in the object store.")
	ErrElsewhere    = errs.New(errs.Conflict, "tenants.placed_elsewhere", "A tenant is put back to a backup only in the main placement. Move it there first, or restore the backup as a new tenant.")
	ErrOvertaken    = errs.New(errs.Conflict, "tenants.copy_overtaken", "Another process has taken over this work.")
	ErrFilesLost    = errs.New(errs.Conflict, "tenants.files_lost", "The tenant was put back to the backup, but some of its files have no content: it was gone from the object store, and so was the archive.")
	ErrReplaced     = errs.New(errs.Conflict, "tenants.changed_meanwhile", "The tenant was moved, replaced or taken out of service meanwhile.")
)
