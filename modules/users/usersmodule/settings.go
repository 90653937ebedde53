package usersmodule

import (
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/tenancy"
)

// Settings declares what a tenant can adjust; the configuration has the rest.
func Settings(c config.Security) []setting.Declared {
	return []setting.Declared{
		users.SessionLifetime.Default(c.RefreshTTL),
		users.SessionIdle.Default(c.SessionIdle),
		users.RequireSecondFactor.Default(c.SecondFactor),
	}
}

// Policies implements users.Policies by the settings of tenants.
type Policies struct {
	house    config.Security
	settings *tenancy.Settings
}

// NewPolicies makes the policies of the process.
func NewPolicies(c config.Security, s *tenancy.Settings) Policies {
	return Policies{house: c, settings: s}
}

// Of implements users.Policies.
func (p Policies) Of(t tenancy.Tenant) users.Policy {
	in := p.settings.Of(t)
	return users.Policy{
		Lifetimes: users.Lifetimes{
			Access: p.house.AccessTokenTTL, Grace: p.house.RefreshGrace,
			Session: users.SessionLifetime.In(in), Idle: users.SessionIdle.In(in),
		},
		SecondFactor: users.RequireSecondFactor.In(in),
	}
}
