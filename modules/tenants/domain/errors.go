package domain

import "github.com/insulahq/insula/platform/errs"

// Errors of the tenants module.
var (
	ErrNotFound      = errs.New(errs.NotFound, "tenants.not_found", "There is no such tenant.")
	ErrSlugTaken     = errs.New(errs.Conflict, "tenants.slug_taken", "Another tenant already has this slug.").At("#/slug", "is taken")
	ErrLandlord      = errs.New(errs.Conflict, "tenants.landlord", "The operator's own tenant cannot be suspended.")
	ErrLandlordTaken = errs.New(errs.Conflict, "tenants.landlord_exists", "There is an operator's tenant already.")
	ErrStatus        = errs.New(errs.Conflict, "tenants.status", "The tenant is not in a state that allows this.")
	ErrInvalid       = errs.New(errs.Invalid, "tenants.invalid", "The tenant has values that are not allowed.")
	ErrNoOperation   = errs.New(errs.NotFound, "tenants.operation_not_found", "There is no such operation.")
)
