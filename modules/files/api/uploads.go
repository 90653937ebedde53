package api

import (
	"context"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// NewFile is the body that declares a file.
type NewFile struct {
	Name        string            `json:"name" minLength:"1" maxLength:"255" doc:"In any language; no slashes, backslashes or control characters." example:"report.pdf"`
	Folder      string            `json:"folder,omitempty" maxLength:"1000" doc:"Folder names separated by slashes; empty for the root." example:"reports/2026"`
	Size        int64             `json:"size" minimum:"0" doc:"Length of the content that will follow, in bytes." example:"48213"`
	ContentType string            `json:"content_type,omitempty" maxLength:"255" doc:"What the content is believed to be; its bytes decide." example:"application/pdf"`
	SHA256      string            `json:"sha256,omitempty" maxLength:"64" doc:"SHA-256 of the content in hex, where it is known: other content is refused."`
	Metadata    map[string]string `json:"metadata,omitempty" doc:"At most 32 notes of at most 500 characters for your own software."`
}

type createInput struct {
	Body NewFile
}

func (a *API) create(ctx context.Context, in *createInput) (*httpx.Resource[File], error) {
	s, err := a.files(scope.From(ctx)).Create(ctx, domain.Declaration{
		Folder: in.Body.Folder, Name: in.Body.Name, Size: in.Body.Size, ContentType: in.Body.ContentType, SHA256: in.Body.SHA256,
		Metadata: in.Body.Metadata,
	})
	if err != nil {
		return nil, err
	}
	return httpx.Created(showSending(s), s.File.Version, "/v1/files/"+s.File.ID.String()), nil
}

// FileParts is the body that asks for links to parts.
type FileParts struct {
	Numbers []int32 `json:"numbers,omitempty" maxItems:"100" uniqueItems:"true" doc:"The parts to get links for, from 1."`
}

type partsInput struct {
	FileID
	Body FileParts
}

func (a *API) parts(ctx context.Context, in *partsInput) (*httpx.Answer[File], error) {
	s, err := a.files(scope.From(ctx)).Parts(ctx, in.ID, in.Body.Numbers)
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[File]{Body: showSending(s)}, nil
}

func (a *API) complete(ctx context.Context, in *FileID) (*httpx.Resource[File], error) {
	f, err := a.files(scope.From(ctx)).Complete(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return httpx.Changed(show(f), f.Version), nil
}

func (a *API) abort(ctx context.Context, in *FileID) (*httpx.Nothing, error) {
	return nil, a.files(scope.From(ctx)).Abort(ctx, in.ID)
}
