package api

import (
	"context"

	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

type uploadInput struct {
	FileID
	httpx.Upload
}

func (a *API) upload(ctx context.Context, in *uploadInput) (*httpx.Resource[File], error) {
	f, err := a.files(scope.From(ctx)).Upload(ctx, in.ID, service.Body{Reader: in.Reader(), Length: in.Length()})
	if err != nil {
		return nil, err
	}
	return httpx.Changed(show(f), f.Version), nil
}

func (a *API) download(ctx context.Context, in *FileID) (*httpx.Download, error) {
	r, err := a.files(scope.From(ctx)).Download(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return deliver(r), nil
}

func deliver(r service.Reading) *httpx.Download {
	d := &httpx.Download{
		Name: r.File.Name, ContentType: r.File.ContentType, Size: r.File.Size, SHA256: r.File.SHA256, Open: r.Open,
		Begin: r.Begin, Whole: r.Whole,
	}
	if r.Link != nil {
		d.Elsewhere = func(ctx context.Context, disposition string) (string, error) {
			link, err := r.Link(ctx, disposition)
			return link.URL, err
		}
	}
	return d
}
