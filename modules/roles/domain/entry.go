package domain

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/perm"
)

// sort tells the entries that stand for operations from those that stand for
// custom permissions. It returns ErrInvalid for each that stands for nothing
// here and that the role does not have already.
func (p *Policy) sort(entries []string, had Role) (operations, custom []string, err error) {
	if len(entries) > MaxEntries {
		return nil, nil, ErrInvalid.At("#/permissions", "must be at most 500 entries")
	}
	operations, custom = []string{}, []string{}
	var wrong []error
	for i, entry := range entries {
		switch {
		case !p.operations(entry).IsEmpty(), slices.Contains(had.Permissions, entry):
			operations = append(operations, entry)
		case !p.customs(entry).IsEmpty(), slices.Contains(had.CustomPermissions, entry):
			custom = append(custom, entry)
		default:
			wrong = append(wrong, ErrInvalid.At(pointer("#/permissions", i), "is no permission of this tenant, and no pattern that stands for any"))
		}
	}
	return tidy(operations), tidy(custom), together(wrong...)
}

// operations is the set of operations that an entry stands for.
func (p *Policy) operations(entry string) perm.Set { return p.names.Select(entry, 0, p.known) }

// customs is the set of custom permissions that an entry stands for.
func (p *Policy) customs(entry string) perm.Set { return p.names.Select(entry, p.known, p.names.Len()) }

// Unknown lists the entries of a role that stand for nothing here, sorted.
func (p *Policy) Unknown(r Role) []string {
	unknown := []string{}
	for _, entry := range r.Permissions {
		if p.operations(entry).IsEmpty() {
			unknown = append(unknown, entry)
		}
	}
	for _, entry := range r.CustomPermissions {
		if p.customs(entry).IsEmpty() {
			unknown = append(unknown, entry)
		}
	}
	return tidy(unknown)
}

// tidy sorts and drops what comes twice.
func tidy(entries []string) []string {
	slices.Sort(entries)
	return slices.Compact(entries)
}

// pointer is the JSON pointer to an element of a list.
func pointer(list string, i int) string { return list + "/" + strconv.Itoa(i) }

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

// together makes one error of several about wrong input, so that a person
// sees all of them at once.
func together(found ...error) error {
	var all *errs.Error
	for _, err := range found {
		var e *errs.Error
		switch {
		case err == nil:
		case !errors.As(err, &e):
			return err
		case all == nil:
			all = e
		default:
			for _, f := range e.Fields {
				all = all.At(f.Pointer, f.Detail)
			}
		}
	}
	if all == nil {
		return nil
	}
	return all
}
