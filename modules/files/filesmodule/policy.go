package filesmodule

import (
	"github.com/insulahq/insula/modules/files"
	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/tenancy"
)

// Settings declares what can be adjusted of a tenant's files; the configuration
// has the rest.
func Settings(l config.Limits, f config.Files) []setting.Declared {
	downloads := files.ThroughServer
	if f.Redirect {
		downloads = files.ByRedirect
	}
	return []setting.Declared{
		files.QuotaBytes.Default(f.QuotaBytes), files.QuotaCount.Default(f.QuotaFiles), files.MaxBytes.Default(l.MaxFileBytes),
		files.Types.Default(append([]string{}, f.Types...)), files.Retention.Default(f.Retention), files.Downloads.Default(downloads),
	}
}

// Policies resolves what a tenant allows of its files: the one place that
// knows where that is written.
type Policies struct {
	house    domain.Policy // what no tenant can adjust
	limit    int64         // on the size of one file, whatever a tenant sets
	settings *tenancy.Settings
}

const (
	singlePut = 32 << 20 // larger content is worth going on with after a cut
	partSize  = 16 << 20
	inline    = 64 << 20 // read in well under a second
)

// NewPolicies makes the policies of the process.
func NewPolicies(l config.Limits, f config.Files, scanner domain.Scanner, s *tenancy.Settings) *Policies {
	return &Policies{limit: l.MaxFileBytes, settings: s, house: domain.Policy{
		UploadTTL: f.UploadTTL, LinkTTL: f.LinkTTL, Direct: f.Direct, Scan: scanner != nil,
		SinglePut: singlePut, PartSize: partSize, Inline: inline,
	}}
}

// Of is the policy of one tenant.
func (p *Policies) Of(t tenancy.Tenant) domain.Policy {
	in, policy := p.settings.Of(t), p.house
	policy.MaxBytes = min(files.MaxBytes.In(in), p.limit)
	policy.QuotaBytes, policy.QuotaFiles = files.QuotaBytes.In(in), files.QuotaCount.In(in)
	policy.Types, policy.Retention = files.Types.In(in), files.Retention.In(in)
	policy.Redirect = files.Downloads.In(in) == files.ByRedirect
	return policy
}

// PolicyOf is the policy of the tenant of one request.
func PolicyOf(p *Policies, t tenancy.Tenant) domain.Policy { return p.Of(t) }
