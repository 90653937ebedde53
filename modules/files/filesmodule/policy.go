package filesmodule

import (
	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/tenancy"
)

// Policies resolves what a tenant allows of its files: the one place that
// knows where that is written.
type Policies struct{ house domain.Policy }

const (
	singlePut = 32 << 20 // larger content is worth going on with after a cut
	partSize  = 16 << 20
	inline    = 64 << 20 // read in well under a second
)

// NewPolicies takes the settings that hold for every tenant.
func NewPolicies(l config.Limits, f config.Files, scanner domain.Scanner) *Policies {
	return &Policies{house: domain.Policy{
		MaxBytes: l.MaxFileBytes, QuotaBytes: f.QuotaBytes, QuotaFiles: f.QuotaFiles, Types: f.Types,
		Retention: f.Retention, UploadTTL: f.UploadTTL, LinkTTL: f.LinkTTL,
		Direct: f.Direct, Redirect: f.Redirect, Scan: scanner != nil,
		SinglePut: singlePut, PartSize: partSize, Inline: inline,
	}}
}

// Of is the policy of one tenant.
func (p *Policies) Of(tenancy.Tenant) domain.Policy { return p.house }

// PolicyOf is the policy of the tenant of one request.
func PolicyOf(p *Policies, t tenancy.Tenant) domain.Policy { return p.Of(t) }
