// Package api shows the files of a tenant over HTTP.
package api

import (
	"net/http"

	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
)

// API serves /v1/files, /v1/folders, /v1/shares and /v1/usage.
type API struct {
	files   func(scope.Request) *service.Files
	cursors *page.Codec
	max     int64
	public  string
}

// New makes the routes of a process. No body of content may have more than
// limit bytes, whatever a tenant allows. Links lead to the public address.
func New(files func(scope.Request) *service.Files, cursors *page.Codec, limit int64, public string) *API {
	return &API{files: files, cursors: cursors, max: limit, public: public}
}

// Register adds the routes.
func (a *API) Register(r *httpx.Router) {
	httpx.Post(r, service.Create, "/v1/files", a.create, httpx.Status(http.StatusCreated), httpx.Secret,
		httpx.Describe("Takes room from the tenant's quota; `files.quota_exceeded` says what is left. The answer's `upload` says how to send the "+
			"content: `put` in one piece to a link, then complete; `multipart` in parts to links of POST /v1/files/{id}/parts, then complete; "+
			"`content` to PUT /v1/files/{id}/content, which always works. A file of the same name keeps what it has, as an earlier version."))
	httpx.Post(r, service.Parts, "/v1/files/{id}/parts", a.parts, httpx.Secret,
		httpx.Describe("Send the body of each part to its link, of exactly its size. Ask without numbers which parts have arrived."))
	httpx.Post(r, service.Complete, "/v1/files/{id}/complete", a.complete,
		httpx.Describe("Size, SHA-256 and content type are checked against what the object store has. Large content is `scanning` first: ask "+
			"GET /v1/files/{id} until it is not. May be sent again."))
	httpx.Post(r, service.Abort, "/v1/files/{id}/abort", a.abort, httpx.Status(http.StatusNoContent),
		httpx.Describe("The file, the room it took and what has arrived of it are gone."))
	httpx.PutContent(r, service.Upload, "/v1/files/{id}/content", a.max, a.upload,
		httpx.Describe("The body must be exactly as long as declared. Content is brought once and never replaced; If-Match is not needed."))
	httpx.GetContent(r, service.Download, "/v1/files/{id}/content", a.download,
		httpx.Describe("Only the content of a file that is ready. HEAD answers the same without the body."))
	httpx.Get(r, service.List, "/v1/files", a.list,
		httpx.Describe("Without a filter, and by owner, type, time or a status other than ready: the newest first. By folder or below one: by folder and name. "+
			"By the beginning of names: by name. By size alone: the largest first. Of several filters the one that narrows best decides: a status other than "+
			"ready, folder, name, below, owner, type, size."))
	httpx.Get(r, service.Folders, "/v1/folders", a.folders,
		httpx.Describe("By name. The files right inside a folder are those of GET /v1/files with it as `folder`. A folder is there while a file that is not deleted is inside it, "+
			"at any depth."))
	httpx.Get(r, service.Get, "/v1/files/{id}", a.get)
	httpx.Patch(r, service.Update, "/v1/files/{id}", a.update)
	httpx.Delete(r, service.Delete, "/v1/files/{id}", a.delete,
		httpx.Describe("A file that was ready can be brought back until its retention is over, and takes up room until then. Deleting it again is for good."))
	httpx.Post(r, service.Undelete, "/v1/files/{id}/undelete", a.undelete)
	httpx.Get(r, service.Versions, "/v1/files/{id}/versions", a.versions,
		httpx.Describe("Each version is a file of its own, with its id: read, delete and restore it by that."))
	httpx.Post(r, service.Restore, "/v1/files/{id}/restore", a.restore,
		httpx.Describe("The version that carried the name becomes an earlier one."))
	httpx.Post(r, service.CreateShare, "/v1/files/{id}/shares", a.createShare, httpx.Status(http.StatusCreated), httpx.Secret)
	httpx.Get(r, service.ListShares, "/v1/files/{id}/shares", a.listShares)
	httpx.Delete(r, service.RevokeShare, "/v1/shares/{id}", a.revokeShare)
	httpx.GetContent(r, service.OpenShare, sharePath, a.openShare, httpx.Linked,
		httpx.Describe("Where a link leads. A link that is unknown, expired, revoked or used up, or whose file is not there any more, is answered alike. "+
			"A link for single use is used up once its content begins to come, which it does as a whole whatever Range says; HEAD and 304 do not use it up."))
	httpx.Get(r, service.Usage, "/v1/usage", a.usage)
}
