package tenantsmodule

import (
	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/setting"
)

// Settings declares what a tenant may take of what all share, and how it is
// reached and backed up.
func Settings(c config.Limits, h config.HTTP, t config.Tenants) []setting.Declared {
	return []setting.Declared{
		tenants.BackupEvery.Default(t.BackupEvery), tenants.BackupKeep.Default(int64(t.BackupKeep)), tenants.BackupKeepFor.Default(t.BackupKeepFor),
		tenants.RequestRate.Default(int64(c.RateTenant)),
		tenants.Units.Default(int64(c.Units)), tenants.Waiting.Default(int64(c.Waiting)),
		tenants.StatementTimeout.Default(c.StatementTimeout), tenants.LockTimeout.Default(c.LockTimeout),
		tenants.WebOrigins.Default(append([]string{}, h.CORSOrigins...)),
	}
}
