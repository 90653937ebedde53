package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// FileID is the path of one file.
type FileID struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The file's id."`
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

// FileChange is the body that changes a file.
type FileChange struct {
	Name     *string            `json:"name,omitempty" minLength:"1" maxLength:"255" doc:"The earlier versions are renamed with it."`
	Folder   *string            `json:"folder,omitempty" maxLength:"1000" doc:"Where to move it; empty for the root."`
	Metadata *map[string]string `json:"metadata,omitempty" doc:"Replaces what was noted before."`
}

type updateInput struct {
	FileID
	httpx.IfMatch
	Body FileChange
}

func (a *API) update(ctx context.Context, in *updateInput) (*httpx.Resource[File], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	f, err := a.files(scope.From(ctx)).Update(ctx, in.ID, version, domain.Change{
		Folder: in.Body.Folder, Name: in.Body.Name, Metadata: (*domain.Metadata)(in.Body.Metadata),
	})
	if err != nil {
		return nil, err
	}
	return httpx.Changed(show(f), f.Version), nil
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

func (a *API) undelete(ctx context.Context, in *FileID) (*httpx.Resource[File], error) {
	f, err := a.files(scope.From(ctx)).Undelete(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return httpx.Changed(show(f), f.Version), nil
}

func (a *API) restore(ctx context.Context, in *FileID) (*httpx.Resource[File], error) {
	f, err := a.files(scope.From(ctx)).Restore(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return httpx.Changed(show(f), f.Version), nil
}
