package domain

import (
	"time"

	"github.com/google/uuid"
)

// OperationStatus is where long work is.
type OperationStatus string

// The statuses of long work.
const (
	Running   OperationStatus = "running"
	Succeeded OperationStatus = "succeeded"
	Broken    OperationStatus = "failed"
)

// CreateKind is the kind of the operation that provisions a tenant.
const CreateKind = "tenants.create"

// Operation is long work on a tenant that a client can follow.
type Operation struct {
	ID          uuid.UUID
	Kind        string
	TenantID    uuid.UUID
	Status      OperationStatus
	Progress    int // per cent
	ErrorCode   string
	ErrorDetail string
	Moved       *Moved // of a move that has come to its end
	CreatedAt   time.Time
	UpdatedAt   time.Time
}
