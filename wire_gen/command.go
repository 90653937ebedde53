package wiregen

import (
	auditservice "github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// TenantEvidence is the evidence of a tenant's trail as somebody works with it
// who has the binary and its configuration at hand: to check it and to take it
// out, both of which the tenant's own trail tells.
func TenantEvidence(p *Process, t tenancy.Tenant) *auditservice.Evidence {
	held := map[string]string{auditservice.Verify.Name: commandLine, auditservice.Export.Name: commandLine}
	r := scope.Request{
		Tenant: t,
		Caller: authn.Caller{Kind: authn.Operator, Label: commandLine, Grants: authn.NewGrants([]string{commandLine}, held)},
	}
	return requestEvidence(p.tenant(t), r)
}
