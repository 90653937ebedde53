package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
)

// Starter begins long work that has been accepted, in the background.
type Starter interface {
	Start(operation uuid.UUID) <-chan error
}

// Backups serves what is done with copies of whole tenants.
type Backups struct {
	backups func(scope.Request) *service.Backups
	work    Starter
	cursors *page.Codec
}

// NewBackups makes the routes of a process.
func NewBackups(b func(scope.Request) *service.Backups, work Starter, cursors *page.Codec) *Backups {
	return &Backups{backups: b, work: work, cursors: cursors}
}

// Register adds the routes.
func (a *Backups) Register(r *httpx.Router) {
	accepted := httpx.Status(http.StatusAccepted)
	httpx.Post(r, service.CreateBackup, "/v1/tenants/{id}/backups", a.create, accepted,
		httpx.Describe("The tenant works on meanwhile; the backup is of one instant. Answers 202 with the operation to follow in Location."))
	httpx.Get(r, service.ListBackups, "/v1/tenants/{id}/backups", a.list)
	httpx.Get(r, service.GetBackup, "/v1/tenants/{id}/backups/{backup_id}", a.get)
	httpx.Delete(r, service.DeleteBackup, "/v1/tenants/{id}/backups/{backup_id}", a.delete)
	httpx.Post(r, service.Restore, "/v1/tenants/{id}/restore", a.restore, accepted,
		httpx.Describe("Makes a new tenant of a backup or, in place, puts the tenant back to it: everybody signs in again then, and the audit "+
			"trail does not go back. Nothing changes for anybody before the whole archive has been checked. "+
			"Answers 202 with the operation to follow in Location."))
	httpx.Post(r, service.Clone, "/v1/tenants/{id}/clone", a.clone, accepted,
		httpx.Describe("The new tenant has the people, roles, files and records of this one, but none of its sessions, API keys and shared links. "+
			"Answers 202 with the operation to follow in Location."))
	httpx.Post(r, service.Move, "/v1/tenants/{id}/move", a.move, accepted,
		httpx.Describe("Brings the tenant to another database while it works: its writers wait for a moment at the end, nobody else for anything. "+
			"Until that moment nothing changes; how long it was, the operation tells. Answers 202 with the operation to follow in Location."))
}

// MoveRequest is the body that moves a tenant.
type MoveRequest struct {
	Placement string `json:"placement" minLength:"1" maxLength:"31" pattern:"^[a-z][a-z0-9-]*$" doc:"Where to." example:"east"`
}

type moveInput struct {
	TenantID
	Body MoveRequest
}

func (a *Backups) move(ctx context.Context, in *moveInput) (*httpx.Accepted[Operation], error) {
	return a.follow(a.backups(scope.From(ctx)).Move(ctx, in.ID, in.Body.Placement))
}

// Backup is how a backup is shown.
type Backup struct {
	ID            uuid.UUID  `json:"id" format:"uuid"`
	TenantID      uuid.UUID  `json:"tenant_id" format:"uuid"`
	Slug          string     `json:"slug" doc:"Of the tenant when the backup was made."`
	Status        string     `json:"status" enum:"running,complete,failed,deleting"`
	Reason        string     `json:"reason" enum:"request,schedule" doc:"What the schedule made, the schedule removes in time."`
	At            *time.Time `json:"at,omitempty" doc:"The instant that all of it is of."`
	SchemaVersion int64      `json:"schema_version" doc:"Of the tenant's schema; an older one is brought up to date when it is restored."`
	Rows          int64      `json:"rows"`
	Files         int64      `json:"files"`
	FileBytes     int64      `json:"file_bytes"`
	Size          int64      `json:"size" doc:"Of the archive, in bytes."`
	SHA256        string     `json:"sha256" doc:"Of the archive, in hexadecimal; empty until it is complete."`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
}

// ShowBackup makes the document of a backup.
func ShowBackup(b domain.Backup) Backup {
	shown := Backup{
		ID: b.ID, TenantID: b.TenantID, Slug: b.Slug, Status: string(b.Status), Reason: string(b.Reason),
		SchemaVersion: b.SchemaVersion, Rows: b.Rows, Files: b.Files, FileBytes: b.FileBytes, Size: b.Size, SHA256: b.SHA256,
		CreatedAt: b.CreatedAt, UpdatedAt: b.UpdatedAt,
	}
	if !b.At.IsZero() {
		shown.At = &b.At
	}
	return shown
}

func (a *Backups) create(ctx context.Context, in *actInput) (*httpx.Accepted[Backup], error) {
	begun, err := a.backups(scope.From(ctx)).Create(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	a.work.Start(begun.Operation.ID)
	return httpx.Follow(ShowBackup(begun.Backup), begun.Operation.ID.String()), nil
}

type backupsInput struct {
	TenantID
	httpx.Paging
}

func (a *Backups) list(ctx context.Context, in *backupsInput) (*httpx.Answer[httpx.List[Backup]], error) {
	req := scope.From(ctx)
	binding := req.Tenant.ID.String() + "|" + service.ListBackups.Name + "|" + in.ID.String()
	r, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.backups(req).List(ctx, in.ID, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, ShowBackup), nil
}

// BackupID is the path of one backup of a tenant.
type BackupID struct {
	TenantID
	BackupID uuid.UUID `path:"backup_id" format:"uuid" doc:"The backup's id."`
}

type getBackupInput struct {
	BackupID
	httpx.IfNoneMatch
}

func (a *Backups) get(ctx context.Context, in *getBackupInput) (*httpx.Resource[Backup], error) {
	b, err := a.backups(scope.From(ctx)).Get(ctx, in.ID, in.BackupID.BackupID)
	if err != nil {
		return nil, err
	}
	return httpx.Show(ShowBackup(b), b.Version, in.IfNoneMatch), nil
}

type deleteBackupInput struct {
	BackupID
	httpx.IfMatch
}

func (a *Backups) delete(ctx context.Context, in *deleteBackupInput) (*httpx.Nothing, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	b, err := a.backups(scope.From(ctx)).Delete(ctx, in.ID, in.BackupID.BackupID, version)
	if err != nil {
		return nil, err
	}
	a.work.Start(b.ID)
	return nil, nil
}

// Restoration is the body that restores a backup.
type Restoration struct {
	BackupID uuid.UUID `json:"backup_id" format:"uuid"`
	InPlace  bool      `json:"in_place,omitempty" doc:"Put this tenant back to the backup. Else a new tenant is made, and needs a slug and a name."`
	Slug     string    `json:"slug,omitempty" maxLength:"40" doc:"Of the new tenant." example:"acme-restored"`
	Name     string    `json:"name,omitempty" maxLength:"120" doc:"Of the new tenant." example:"Acme, restored"`
	// Placement is of the new tenant, too.
	Placement string `json:"placement,omitempty" maxLength:"31" pattern:"^[a-z][a-z0-9-]*$" doc:"The database that is to house the new tenant; the main one unless named." example:"east"`
}

type restoreInput struct {
	TenantID
	Body Restoration
}

func (a *Backups) restore(ctx context.Context, in *restoreInput) (*httpx.Accepted[Operation], error) {
	return a.follow(a.backups(scope.From(ctx)).Restore(ctx, service.Restoration{
		Tenant: in.ID, Backup: in.Body.BackupID, InPlace: in.Body.InPlace, Slug: in.Body.Slug, Name: in.Body.Name, Placement: in.Body.Placement,
	}))
}

// CloneRequest is the body that clones a tenant.
type CloneRequest struct {
	Slug string `json:"slug" minLength:"3" maxLength:"40" doc:"Of the new tenant." example:"acme-staging"`
	Name string `json:"name" minLength:"1" maxLength:"120" doc:"Of the new tenant." example:"Acme, staging"`
	// Placement is of the new tenant, too.
	Placement string `json:"placement,omitempty" maxLength:"31" pattern:"^[a-z][a-z0-9-]*$" doc:"The database that is to house the new tenant; the main one unless named." example:"east"`
}

type cloneInput struct {
	TenantID
	Body CloneRequest
}

func (a *Backups) clone(ctx context.Context, in *cloneInput) (*httpx.Accepted[Operation], error) {
	return a.follow(a.backups(scope.From(ctx)).Clone(ctx, in.ID, service.NewTenant{Slug: in.Body.Slug, Name: in.Body.Name, Placement: in.Body.Placement}))
}

// follow begins work that has been accepted, and says where to follow it.
func (a *Backups) follow(begun service.Begun, err error) (*httpx.Accepted[Operation], error) {
	if err != nil {
		return nil, err
	}
	a.work.Start(begun.Operation.ID)
	return httpx.Follow(ShowOperation(begun.Operation), begun.Operation.ID.String()), nil
}
