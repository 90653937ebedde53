// Package settings is the contract of the settings module: what a tenant has
// set, of the settings that the modules declare (package setting).
package settings

import (
	"context"
	"encoding/json"
	"time"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/uow"
)

// Document is all settings of a tenant at one version.
type Document struct {
	Version  int64 // 0 before the first change
	Settings []Entry
	Unknown  []Unknown
}

// Entry is one setting as it is in force.
type Entry struct {
	setting.Def
	Value     any        // as JSON has it
	Default   any        // the installation's
	ChangedAt *time.Time // nil while the default is in force
}

// Unknown is something set that has no effect: no module declares it any more,
// or its value is not allowed any more.
type Unknown struct {
	Name      string
	Value     json.RawMessage
	Reason    string // in words
	ChangedAt time.Time
}

// Change is what is to be set, by name. A null takes back what was set.
type Change map[string]json.RawMessage

// View is what the trail shows of a change: the values in force.
type View struct {
	Values map[string]any `json:"values"`
}

// Desk reads and changes the settings of the tenant of a unit of work.
type Desk interface {
	// Show reads all settings.
	Show(ctx context.Context, tx uow.Tx) (Document, error)
	// Change sets what c says on behalf of who, all of it or nothing, and tells
	// the trail. Version is the one that the caller read; AnyVersion for any.
	// It returns ErrInvalid naming each wrong value, ErrOperatorOnly or
	// errs.ErrPreconditionFailed.
	Change(ctx context.Context, tx uow.Tx, version int64, c Change, who setting.Who) (Changed, error)
}

// Changed is a document after a change, with what the trail is told.
type Changed struct {
	Document      Document
	Before, After View
}

// AnyVersion stands for whatever version there is.
const AnyVersion int64 = -1

// Errors of the settings module.
var (
	ErrInvalid      = errs.New(errs.Invalid, "settings.invalid", "Some settings have values that are not allowed.")
	ErrOperatorOnly = errs.New(errs.Forbidden, "settings.operator_only", "Only the operator can change this setting.")
)
