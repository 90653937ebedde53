// Package api shows the files of a tenant over HTTP.
package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
)

// API serves /v1/files.
type API struct {
	files   func(scope.Request) *service.Files
	cursors *page.Codec
	max     service.MaxBytes
}

// New makes the routes of a process.
func New(files func(scope.Request) *service.Files, cursors *page.Codec, limit service.MaxBytes) *API {
	return &API{files: files, cursors: cursors, max: limit}
}

// Register adds the routes.
func (a *API) Register(r *httpx.Router) {
	httpx.Post(r, service.Create, "/v1/files", a.create, httpx.Status(http.StatusCreated),
		httpx.Describe("The file is pending until PUT /v1/files/{id}/content has brought its bytes."))
	httpx.Get(r, service.List, "/v1/files", a.list)
	httpx.Get(r, service.Get, "/v1/files/{id}", a.get)
	httpx.Delete(r, service.Delete, "/v1/files/{id}", a.delete)
	httpx.PutContent(r, service.Upload, "/v1/files/{id}/content", int64(a.max), a.upload,
		httpx.Describe("The body must be exactly as long as declared. Content is brought once and never replaced; If-Match is not needed."))
	httpx.GetContent(r, service.Download, "/v1/files/{id}/content", a.download)
}

// File is how a file is shown.
type File struct {
	ID          uuid.UUID     `json:"id" format:"uuid"`
	Name        string        `json:"name" example:"report.pdf"`
	Size        int64         `json:"size" doc:"In bytes."`
	ContentType string        `json:"content_type" doc:"As declared while pending, then what the content turned out to be." example:"application/pdf"`
	SHA256      string        `json:"sha256,omitempty" doc:"SHA-256 of the content in hex; absent until there is content."`
	Status      domain.Status `json:"status" enum:"pending,scanning,ready,quarantined,deleted" doc:"Content can be read when ready."`
	OwnerID     uuid.UUID     `json:"owner_id" format:"uuid" doc:"The user who declared the file."`
	CreatedAt   time.Time     `json:"created_at"`
	UpdatedAt   time.Time     `json:"updated_at"`
}

func show(f domain.File) File {
	return File{
		ID: f.ID, Name: f.Name, Size: f.Size, ContentType: f.ContentType, SHA256: hex.EncodeToString(f.SHA256),
		Status: f.Status, OwnerID: f.OwnerID, CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
	}
}

// FileID is the path of one file.
type FileID struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The file's id."`
}

// NewFile is the body that declares a file.
type NewFile struct {
	Name        string `json:"name" minLength:"1" maxLength:"255" doc:"In any language; no slashes, backslashes or control characters." example:"report.pdf"`
	Size        int64  `json:"size" minimum:"0" doc:"Length of the content that will follow, in bytes." example:"48213"`
	ContentType string `json:"content_type,omitempty" maxLength:"255" doc:"What the content is believed to be; its bytes decide." example:"application/pdf"`
}

type createInput struct {
	Body NewFile
}

func (a *API) create(ctx context.Context, in *createInput) (*httpx.Resource[File], error) {
	f, err := a.files(scope.From(ctx)).Create(ctx, service.NewFile{
		Name: in.Body.Name, Size: in.Body.Size, ContentType: in.Body.ContentType,
	})
	if err != nil {
		return nil, err
	}
	return httpx.Created(show(f), f.Version, "/v1/files/"+f.ID.String()), nil
}

type getInput struct {
	FileID
	httpx.IfNoneMatch
}

func (a *API) get(ctx context.Context, in *getInput) (*httpx.Resource[File], error) {
	f, err := a.files(scope.From(ctx)).Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return httpx.Show(show(f), f.Version, in.IfNoneMatch), nil
}

type listInput struct {
	httpx.Paging
	Status string `query:"status" enum:"pending,scanning,ready,quarantined,deleted" doc:"Only files with this status."`
	Name   string `query:"name" maxLength:"255" doc:"Only files whose name begins with this." example:"report"`
}

func (a *API) list(ctx context.Context, in *listInput) (*httpx.Answer[httpx.List[File]], error) {
	req := scope.From(ctx)
	spec, err := domain.NewSpec(domain.Status(in.Status), in.Name)
	if err != nil {
		return nil, err
	}
	binding := req.Tenant.ID.String() + "|" + service.List.Name + "|" + in.Status + "|" + spec.NamePrefix
	r, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.files(req).List(ctx, spec, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, show), nil
}

type deleteInput struct {
	FileID
	httpx.IfMatch
}

func (a *API) delete(ctx context.Context, in *deleteInput) (*httpx.Nothing, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return nil, a.files(scope.From(ctx)).Delete(ctx, in.ID, version)
}
