// Package service runs the operations on the audit trail. Reading the trail
// is itself recorded.
package service

import (
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/op"
)

// Audit runs the operations on the trail for one request.
type Audit struct {
	run    *op.Runner
	events domain.Repository
}

// NewAudit makes the service of one request.
func NewAudit(run *op.Runner, events domain.Repository) *Audit {
	return &Audit{run: run, events: events}
}
