package users

import (
	"time"

	"github.com/insulahq/insula/platform/setting"
)

// year bounds what a session may last.
const year = 365 * 24 * time.Hour

// What a tenant can adjust of its users' access.
var (
	SessionLifetime = setting.OfDuration("users.session_lifetime",
		"How long a session lasts without a new login, however much it is used; it holds for sessions that begin after the change.",
		time.Hour, year, setting.From("INSULA_REFRESH_TTL"))
	SessionIdle = setting.OfDuration("users.session_idle",
		"How long a session lasts when it is not refreshed.", time.Hour, year, setting.From("INSULA_SESSION_IDLE"))
	RequireSecondFactor = setting.OfBool("users.require_second_factor",
		"Whether everybody needs a second factor; who has none yet can sign in, set one up, and do nothing else before.",
		setting.From("INSULA_REQUIRE_SECOND_FACTOR"))
)
