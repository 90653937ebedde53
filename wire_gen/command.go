package wiregen

import (
	"context"
	"io"
	"os/user"

	auditservice "github.com/insulahq/insula/modules/audit/service"
	settingsservice "github.com/insulahq/insula/modules/settings/service"
	tenantsdomain "github.com/insulahq/insula/modules/tenants/domain"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	usageservice "github.com/insulahq/insula/modules/usage/service"
	usersservice "github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// commandLine is the role of whoever runs the binary's own commands.
const commandLine = "command line"

// atCommandLine is whoever runs the binary's own commands and may run these
// operations: the user of the system, by the name that it has there.
func atCommandLine(may ...op.Def) authn.Caller {
	held := map[string]string{}
	for _, d := range may {
		held[d.Name] = commandLine
	}
	who := "somebody"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	return authn.Caller{
		Kind: authn.Operator, Label: who + " at the command line", Grants: authn.NewGrants([]string{commandLine}, held),
	}
}

// OperatorTenants is the registry as somebody works with it who has the
// binary and its configuration at hand. What they do is recorded in the
// landlord's trail; it returns the tenants module's not-found error before
// there is a landlord.
func OperatorTenants(ctx context.Context, p *Process) (*tenantsservice.Tenants, error) {
	return asOperator(ctx, p, requestTenants)
}

// OperatorSettings are the settings of tenants as somebody works with them who
// has the binary: see OperatorTenants.
func OperatorSettings(ctx context.Context, p *Process) (*settingsservice.Settings, error) {
	return asOperator(ctx, p, requestSettings)
}

// OperatorUsage is what tenants have and do, for somebody who has the binary:
// see OperatorTenants.
func OperatorUsage(ctx context.Context, p *Process) (*usageservice.Usage, error) {
	return asOperator(ctx, p, requestUsage)
}

// OperatorBackups are the backups of tenants as somebody works with them who
// has the binary: see OperatorTenants.
func OperatorBackups(ctx context.Context, p *Process) (*tenantsservice.Backups, error) {
	return asOperator(ctx, p, requestBackups)
}

// FetchBackup writes the archive of a backup to w for somebody at the command
// line. It is told first, on both sides: whoever has it has all of the tenant.
// What w has got is the archive only if there was no error.
func FetchBackup(ctx context.Context, p *Process, t tenantsdomain.Tenant, b tenantsdomain.Backup, w io.Writer) error {
	if err := b.Restorable(); err != nil {
		return err
	}
	if err := Note(ctx, p, tenantsservice.FetchBackup, t.Tenant); err != nil {
		return err
	}
	p.Jobs.Witness(ctx, t.Tenant, tenantsservice.FetchBackup, atCommandLine())
	return p.Porter.Fetch(ctx, b, w)
}

// GiveUpMove ends the move of a tenant one of whose servers is gone for good,
// for somebody at the command line. It is told on both sides.
func GiveUpMove(ctx context.Context, p *Process, t tenantsdomain.Tenant) (c tenantsdomain.Copy, e tenantsdomain.Ending, err error) {
	landlord, err := p.Directory.Landlord(ctx)
	if err != nil {
		return c, e, err
	}
	err = p.Jobs.Visit(ctx, landlord.Tenant, tenantsservice.GiveUpMove, atCommandLine(), func(tx uow.Tx) (err error) {
		c, e, err = p.Copying.GiveUp(ctx, tx, t)
		return err
	})
	if err == nil {
		p.Jobs.Witness(ctx, t.Tenant, tenantsservice.GiveUpMove, atCommandLine())
	}
	return c, e, err
}

// asOperator makes a service for the command line, in the landlord's tenant.
func asOperator[T any](ctx context.Context, p *Process, build func(*Tenant, scope.Request) T) (T, error) {
	landlord, err := p.Directory.Landlord(ctx)
	if err != nil {
		var none T
		return none, err
	}
	var may []op.Def
	for _, d := range p.Operations.All() {
		if d.Guard == op.ByLandlord {
			may = append(may, d)
		}
	}
	r := scope.Request{Tenant: landlord.Tenant, Caller: atCommandLine(may...)}
	return build(p.tenant(r.Tenant), r), nil
}

// TenantEvidence is the evidence of a tenant's trail as somebody works with it
// who has the binary and its configuration at hand: to check it and to take it
// out, both of which the tenant's own trail tells.
func TenantEvidence(p *Process, t tenancy.Tenant) *auditservice.Evidence {
	r := scope.Request{Tenant: t, Caller: atCommandLine(auditservice.Verify, auditservice.Export)}
	return requestEvidence(p.tenant(t), r)
}

// Note tells the operator's trail what somebody at the command line does to a
// tenant, beside what the tenant's own trail tells. Before there is an
// operator's tenant there is nobody to tell.
func Note(ctx context.Context, p *Process, d op.Def, about tenancy.Tenant) error {
	landlord, founded, err := newLandlord(p.Directory)(ctx)
	if founded {
		p.Jobs.WitnessIn(ctx, landlord, about, d, atCommandLine())
	}
	return err
}

// RotateKeys makes the next key that signs access tokens; compromised ends all
// others at once. The operator's trail tells of it, also when it fails, once
// there is an operator's tenant.
func RotateKeys(ctx context.Context, p *Process, compromised bool) error {
	rotate, label := p.KeyRing.Store().Rotate, usersservice.KeysOverlap
	if compromised {
		rotate, label = p.KeyRing.Store().Replace, usersservice.KeysEnd
	}
	landlord, founded, err := newLandlord(p.Directory)(ctx)
	if err != nil {
		return err
	}
	if !founded {
		_, err := rotate(ctx)
		return err
	}
	return p.Jobs.Visit(ctx, landlord, usersservice.RotateKeys, atCommandLine(), func(tx uow.Tx) error {
		key, err := rotate(ctx)
		tx.Trail().On(usersservice.RotateKeys.Kind, key, label)
		return err
	})
}
