package api

import (
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
)

// File is how a file is shown.
type File struct {
	ID          uuid.UUID         `json:"id" format:"uuid" doc:"Names one content for ever; a new version has another id."`
	Folder      string            `json:"folder" doc:"Where the file is; empty for the root, else folder names that each end in a slash." example:"reports/2026/"`
	Name        string            `json:"name" example:"report.pdf"`
	Size        int64             `json:"size" doc:"In bytes."`
	ContentType string            `json:"content_type" doc:"As declared while pending, then what the content turned out to be." example:"application/pdf"`
	SHA256      string            `json:"sha256,omitempty" doc:"SHA-256 of the content in hex; absent until it was read."`
	Status      domain.Status     `json:"status" enum:"pending,scanning,ready,quarantined,deleted" doc:"Content can be read when ready."`
	Reason      string            `json:"reason,omitempty" doc:"Pending: the code of the error for which content was refused. Quarantined: what the scanner found, or files.content_lost when the store has lost the content."`
	Earlier     bool              `json:"earlier_version" doc:"Whether a newer version has taken the name."`
	Metadata    map[string]string `json:"metadata,omitempty" doc:"What your software has noted beside the file."`
	OwnerID     uuid.UUID         `json:"owner_id" format:"uuid" doc:"The user who declared the file."`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	DeletedAt   *time.Time        `json:"deleted_at,omitempty" doc:"When it was deleted; it can be brought back for a while."`
	Upload      *FileUpload       `json:"upload,omitempty" doc:"How to send the content; in the answers of POST /v1/files and its parts alone."`
}

// FileUpload is how content is sent.
type FileUpload struct {
	Method    domain.Method `json:"method" enum:"put,multipart,content" doc:"put: in one piece to link. multipart: in parts to their links. content: to PUT /v1/files/{id}/content."`
	ExpiresAt time.Time     `json:"expires_at" doc:"When the upload is given up, unless POST /v1/files/{id}/parts is asked before."`
	Link      *FileLink     `json:"link,omitempty" doc:"Method put: where to send the content. Absent when no link could be made: ask POST /v1/files/{id}/parts."`
	PartSize  int64         `json:"part_size,omitempty" doc:"Method multipart: length of every part but the last, in bytes."`
	PartCount int32         `json:"part_count,omitempty" doc:"Method multipart: how many parts there are, numbered from 1."`
	Parts     []FilePart    `json:"parts,omitempty" doc:"Method multipart: where to send the parts that were asked for."`
	Arrived   []FileArrived `json:"arrived,omitempty" doc:"Method multipart: the parts that are there."`
}

// FileLink is a link to the object store.
type FileLink struct {
	Method    string            `json:"method" example:"PUT"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers" doc:"Send each of them as it is. Content-Length is what your HTTP client sends by itself."`
	ExpiresAt time.Time         `json:"expires_at"`
}

// FilePart is the link to send one part.
type FilePart struct {
	Number int32    `json:"number"`
	Size   int64    `json:"size" doc:"In bytes; the part must have exactly this length."`
	Link   FileLink `json:"link"`
}

// FileArrived is a part that the object store has.
type FileArrived struct {
	Number int32 `json:"number"`
	Size   int64 `json:"size" doc:"In bytes."`
}

func show(f domain.File) File {
	out := File{
		ID: f.ID, Folder: f.Folder, Name: f.Name, Size: f.Size, ContentType: f.ContentType, SHA256: hex.EncodeToString(f.SHA256),
		Status: f.Status, Reason: f.Reason, Earlier: f.Earlier(), Metadata: f.Metadata, OwnerID: f.OwnerID,
		CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
	}
	if !f.DeletedAt.IsZero() {
		out.DeletedAt = &f.DeletedAt
	}
	return out
}

func showSending(s service.Sending) File {
	out := show(s.File)
	u := &FileUpload{Method: s.Upload.Method, ExpiresAt: s.Upload.ExpiresAt, PartSize: s.Upload.PartSize, PartCount: s.Upload.Parts(s.File.Size)}
	if s.Link != nil {
		link := showLink(*s.Link)
		u.Link = &link
	}
	for _, p := range s.Parts {
		u.Parts = append(u.Parts, FilePart{Number: p.Number, Size: p.Size, Link: showLink(p.Link)})
	}
	for _, p := range s.Stored {
		u.Arrived = append(u.Arrived, FileArrived{Number: p.Number, Size: p.Size})
	}
	out.Upload = u
	return out
}

func showLink(l domain.Link) FileLink {
	return FileLink{Method: l.Method, URL: l.URL, Headers: l.Header, ExpiresAt: l.Expires}
}
