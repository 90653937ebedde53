package tenants

import (
	"time"

	"github.com/insulahq/insula/platform/setting"
)

// What a tenant may take of what all share. It is the operator's to say.
var (
	RequestRate = setting.OfInt("tenants.requests_per_second",
		"Requests that all callers of the tenant together may send in a second; more are answered with 429.",
		1, 1_000_000, setting.Unit("requests"), setting.From("INSULA_RATE_TENANT"), setting.ByOperator)
	Units = setting.OfInt("tenants.units",
		"Units of work that may run at once, in each process. 0: as many as there are connections.",
		0, 1000, setting.Unit("units of work"), setting.From("INSULA_TENANT_UNITS"), setting.ByOperator)
	Waiting = setting.OfInt("tenants.waiting",
		"Units of work that may wait for their turn beside those that run; one more is answered with 503.",
		0, 100_000, setting.Unit("units of work"), setting.From("INSULA_TENANT_WAITING"), setting.ByOperator)
	StatementTimeout = setting.OfDuration("tenants.statement_timeout",
		"Longest time that one statement may take in the database. 0s: as long as the request may.",
		0, day, setting.From("INSULA_TENANT_STATEMENT_TIMEOUT"), setting.ByOperator)
	LockTimeout = setting.OfDuration("tenants.lock_timeout",
		"Longest time that a statement may wait for a lock. 0s: as long as the request may.",
		0, day, setting.From("INSULA_TENANT_LOCK_TIMEOUT"), setting.ByOperator)
)

// How a tenant is backed up by itself. It is the operator's to say.
var (
	BackupEvery = setting.OfDuration("tenants.backup_every",
		"How often the tenant is backed up by itself. 0s: never.",
		0, 365*day, setting.From("INSULA_BACKUP_EVERY"), setting.ByOperator)
	BackupKeep = setting.OfInt("tenants.backup_keep",
		"How many of the backups that were made by themselves are kept.",
		1, 1000, setting.Unit("backups"), setting.From("INSULA_BACKUP_KEEP"), setting.ByOperator)
	BackupKeepFor = setting.OfDuration("tenants.backup_keep_for",
		"How long backups that were made by themselves are kept at most; the last good one stays. 0s: by number alone.",
		0, 100*365*day, setting.From("INSULA_BACKUP_KEEP_FOR"), setting.ByOperator)
)

const day = 24 * time.Hour
