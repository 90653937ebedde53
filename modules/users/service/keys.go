package service

import (
	"context"

	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// RotateKeys is what happens to the keys that sign access tokens. The keys are
// the installation's, not a tenant's: the command line makes the next one, or
// the schedule does, and the operator's trail tells of it.
var RotateKeys = op.Job("auth.keys.rotate", "Make the next key that signs access tokens.", op.About("signing_key"))

// KeysOverlap and KeysEnd tell in the trail what becomes of the keys before the
// new one.
const (
	KeysOverlap = "overlaps with the one before"
	KeysEnd     = "ends all others"
)

// Landlord finds the operator's tenant; founded is false before there is one.
type Landlord func(ctx context.Context) (t tenancy.Tenant, founded bool, err error)

// Rotations tells the operator's trail of the keys that the schedule makes.
type Rotations struct {
	jobs     *op.Jobs
	landlord Landlord
}

// NewRotations makes the service of a process.
func NewRotations(j *op.Jobs, l Landlord) *Rotations { return &Rotations{jobs: j, landlord: l} }

// Tell records that the schedule made a key, or why it could not.
func (s *Rotations) Tell(ctx context.Context, key string, failure error) error {
	t, founded, err := s.landlord(ctx)
	if err != nil || !founded {
		return err
	}
	_, err = op.Do(ctx, s.jobs.Runner(t, RotateKeys), RotateKeys.On(key), func(tx uow.Tx) (struct{}, error) {
		tx.Trail().On(RotateKeys.Kind, key, KeysOverlap)
		return struct{}{}, failure
	})
	return err
}
