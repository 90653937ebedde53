package api

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

type listInput struct {
	httpx.Paging
	FileFilter
}

// FileFilter is what a list of files is narrowed by.
type FileFilter struct {
	Status  string    `query:"status" enum:"pending,scanning,ready,quarantined,deleted" doc:"Only files with this status; without it, all but deleted ones."`
	Folder  string    `query:"folder" maxLength:"1000" doc:"Only files of exactly this folder; / for the root." example:"reports/"`
	Below   string    `query:"below" maxLength:"1000" doc:"Only files of this folder and of all inside it." example:"reports/"`
	Name    string    `query:"name" maxLength:"255" doc:"Only files whose name begins with this." example:"report"`
	Type    string    `query:"type" maxLength:"255" doc:"Only files whose content type begins with this." example:"image/*"`
	OwnerID uuid.UUID `query:"owner_id" format:"uuid" doc:"Only files that this user has declared."`
	MinSize int64     `query:"min_size" minimum:"0" doc:"Only files of at least this many bytes."`
	MaxSize int64     `query:"max_size" minimum:"1" doc:"Only files of at most this many bytes."`
	From    time.Time `query:"created_from" doc:"Only files declared at this time or later."`
	To      time.Time `query:"created_before" doc:"Only files declared before this time."`
}

func (in *FileFilter) spec() (domain.Spec, error) {
	s := domain.AnySpec()
	s.Status, s.Below, s.NamePrefix, s.TypePrefix = domain.Status(in.Status), in.Below, in.Name, in.Type
	s.OwnerID, s.MinSize, s.From = in.OwnerID, in.MinSize, in.From
	if in.Folder != "" {
		s.Folder = &in.Folder
	}
	if in.MaxSize > 0 {
		s.MaxSize = in.MaxSize
	}
	if !in.To.IsZero() {
		s.To = in.To
	}
	return s.Clean()
}

// binding is what a cursor of a list belongs to.
func binding(r scope.Request, operation string, filter any) string {
	return fmt.Sprintf("%s|%s|%+v", r.Tenant.ID, operation, filter)
}

func (a *API) list(ctx context.Context, in *listInput) (*httpx.Answer[httpx.List[File]], error) {
	req := scope.From(ctx)
	spec, err := in.spec()
	if err != nil {
		return nil, err
	}
	bound := binding(req, service.List.Name, in.FileFilter)
	r, err := in.Request(a.cursors, bound)
	if err != nil {
		return nil, err
	}
	found, err := a.files(req).List(ctx, spec, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, bound, show), nil
}

type foldersInput struct {
	httpx.Paging
	Inside string `query:"inside" maxLength:"1000" doc:"The folder to look into; the root without it." example:"reports/"`
}

// FileFolder is a folder.
type FileFolder struct {
	Path string `json:"path" doc:"As files have it: folder names that each end in a slash." example:"reports/2026/"`
	Name string `json:"name" doc:"The last of its names." example:"2026"`
}

func (a *API) folders(ctx context.Context, in *foldersInput) (*httpx.Answer[httpx.List[FileFolder]], error) {
	req := scope.From(ctx)
	parent, err := domain.ParseFolder("query.inside", in.Inside)
	if err != nil {
		return nil, err
	}
	bound := binding(req, service.Folders.Name, parent)
	r, err := in.Request(a.cursors, bound)
	if err != nil {
		return nil, err
	}
	found, err := a.files(req).Folders(ctx, parent, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, bound, func(folder string) FileFolder {
		return FileFolder{Path: folder, Name: path.Base(folder)}
	}), nil
}

type versionsInput struct {
	FileID
	httpx.Paging
}

func (a *API) versions(ctx context.Context, in *versionsInput) (*httpx.Answer[httpx.List[File]], error) {
	req := scope.From(ctx)
	bound := binding(req, service.Versions.Name, in.ID)
	r, err := in.Request(a.cursors, bound)
	if err != nil {
		return nil, err
	}
	found, err := a.files(req).Versions(ctx, in.ID, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, bound, show), nil
}

// FileUsage is how much room the files of a tenant take up.
type FileUsage struct {
	Bytes      int64    `json:"bytes" doc:"What all files take up, earlier versions, open uploads and deleted files included."`
	BytesLimit int64    `json:"bytes_limit" doc:"What they may take up."`
	BytesLeft  int64    `json:"bytes_left" doc:"What is left."`
	Files      int64    `json:"files" doc:"How many there are, counted in the same way."`
	FilesLimit int64    `json:"files_limit" doc:"How many there may be."`
	FilesLeft  int64    `json:"files_left" doc:"How many are left."`
	MaxSize    int64    `json:"max_size" doc:"The greatest size of one file in bytes."`
	Types      []string `json:"types" doc:"The content types that are taken; empty for all."`
	Retention  int64    `json:"retention" doc:"How long a deleted file can be brought back, in seconds."`
}

func (a *API) usage(ctx context.Context, _ *struct{}) (*httpx.Answer[FileUsage], error) {
	room, err := a.files(scope.From(ctx)).Room(ctx)
	if err != nil {
		return nil, err
	}
	p, left := room.Policy, room.Left(room.Policy)
	return &httpx.Answer[FileUsage]{Body: FileUsage{
		Bytes: room.Bytes, BytesLimit: p.QuotaBytes, BytesLeft: left.Bytes, Files: room.Files, FilesLimit: p.QuotaFiles, FilesLeft: left.Files,
		MaxSize: p.MaxBytes, Types: append([]string{}, p.Types...), Retention: int64(p.Retention / time.Second),
	}}, nil
}
