// Package service holds the operations of the tenants module. They belong to
// the landlord: its trail records them, and each tenant's own trail too where
// the operator acted on it.
package service

import (
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
)

// Operations are all operations of the module.
var Operations = []op.Def{
	Create, Get, List, Update, Suspend, Resume, Delete, Undelete, GetOperation, Provision, Found, Invite,
	CreateBackup, ListBackups, GetBackup, FetchBackup, DeleteBackup, Restore, Clone, PackTenant, UnpackTenant, CloneTenant, DiscardBackup,
	ScheduleBackup, ExpireBackup,
	Move, MoveTenant, Relocated, GiveUpMove,
	Erase, GetReceipt, Expire, Conclude,
}

// Tenants is the registry as the landlord's users work with it.
type Tenants struct {
	run      *op.Runner
	repo     domain.Repository
	houses   domain.Houses
	jobs     *op.Jobs
	live     *tenancy.Live
	grace    Grace
	receipts domain.ReceiptKey
	clock    clock.Clock
	ids      id.Source
}

// NewTenants makes the service of one request.
func NewTenants(run *op.Runner, repo domain.Repository, h domain.Houses, jobs *op.Jobs, live *tenancy.Live, grace Grace, receipts domain.ReceiptKey, c clock.Clock, ids id.Source) *Tenants {
	return &Tenants{run: run, repo: repo, houses: h, jobs: jobs, live: live, grace: grace, receipts: receipts, clock: c, ids: ids}
}
