package domain

import (
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
)

// Houses are the names of the placements that this process knows.
type Houses []string

// Moved is what a move has come to.
type Moved struct {
	From string `json:"from"`
	To   string `json:"to"`
	// WindowMS is how long writers waited, from the moment that the tenant's
	// tables were locked until it was open in its new place; 0 when a crash in
	// between has hidden it.
	WindowMS int64 `json:"window_ms"`
	Rows     int64 `json:"rows"`  // brought over, some of them more than once
	Bytes    int64 `json:"bytes"` // that they took on the way
}

// MovePlan is what a move would bring over.
type MovePlan struct {
	From, To     string
	Tables, Rows int64
	Bytes        int64 // with indexes: about what it takes in the new place
	TargetBytes  int64 // that the whole database there has now
}

// PlacedView is what the trail sees of where a tenant is.
type PlacedView struct {
	Placement string `json:"placement"`
}

// Moving is the work that brings a tenant to another placement.
func Moving(operation uuid.UUID, t Tenant, to string, known Houses) (Copy, error) {
	switch {
	case t.Kind == tenants.Landlord:
		return Copy{}, ErrLandlordMove
	case !slices.Contains(known, to):
		return Copy{}, ErrNoPlacement
	case t.Home() == to:
		return Copy{}, ErrPlacedThere
	case t.Status != tenants.Active && t.Status != tenants.Suspended:
		return Copy{}, ErrStatus
	}
	return Copy{
		Operation: operation, Kind: CopyMove, Step: Copying, Source: t.ID, Target: t.ID, Schema: t.Schema, From: t.Home(), To: to,
	}, nil
}
