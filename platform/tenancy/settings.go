package tenancy

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/uow"
)

// SettingsSource reads what a tenant has set.
type SettingsSource interface {
	// Version grows with every change; 0 before the first.
	Version(ctx context.Context, tx uow.Tx) (int64, error)
	// Stored is what is set, by name, settings included that nobody declares
	// any more.
	Stored(ctx context.Context, tx uow.Tx) (map[string]json.RawMessage, error)
}

// Settings knows the settings of the tenants that are being served.
//
// It is as new as what it was last told: who lets a request in tells it the
// version that the tenant's settings have now (Learn, Refresh), and work that
// begins without a request asks for itself (Fresh). What is remembered of
// another version is then read anew, so that no decision of that request rests
// on anything older. A tenant that never set anything is not remembered: it has
// the defaults.
type Settings struct {
	registry *setting.Registry
	source   SettingsSource
	known    *lru.Cache[uuid.UUID, remembered]
	turns    turns
}

type remembered struct {
	version int64
	values  setting.Values
}

// rememberedTenants bounds the tenants with settings of their own that a process
// knows.
const rememberedTenants = 100_000

// NewSettings makes the memory of a process.
func NewSettings(r *setting.Registry, s SettingsSource) *Settings {
	known, err := lru.New[uuid.UUID, remembered](rememberedTenants)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &Settings{registry: r, source: s, known: known, turns: turns{taken: map[uuid.UUID]*turn{}}}
}

// Of are the settings of a tenant, as they were when the request that asks was
// let in.
func (s *Settings) Of(t Tenant) setting.Values {
	if k, ok := s.known.Get(t.ID); ok {
		return k.values
	}
	return s.registry.Values(nil)
}

// Learn takes note of the version that the settings of a tenant have, and
// reads them when they are not the ones that are known.
func (s *Settings) Learn(ctx context.Context, tx uow.Tx, t Tenant, version int64) error {
	if s.knows(t.ID, version) {
		return nil
	}
	end, err := s.turns.begin(ctx, t.ID)
	if err != nil {
		return err
	}
	defer end()
	if s.knows(t.ID, version) {
		return nil
	}
	stored, err := s.source.Stored(ctx, tx)
	if err != nil {
		return err
	}
	s.known.Add(t.ID, remembered{version: version, values: s.registry.Values(stored)})
	return nil
}

func (s *Settings) knows(tenant uuid.UUID, version int64) bool {
	k, ok := s.known.Get(tenant)
	return k.version == version && (ok || version == 0)
}

// Refresh asks for the version and learns it.
func (s *Settings) Refresh(ctx context.Context, tx uow.Tx, t Tenant) error {
	version, err := s.source.Version(ctx, tx)
	if err != nil {
		return err
	}
	return s.Learn(ctx, tx, t, version)
}

// Fresh are the settings of a tenant now, for work that no request began. It
// needs a unit of work of its own, so it is not for the inside of one.
type Fresh func(ctx context.Context, t Tenant) (setting.Values, error)
