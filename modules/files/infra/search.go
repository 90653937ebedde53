package infra

import (
	"context"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra/internal/filesdb"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// List implements domain.Repository. The filter that an index leads to chooses
// the statement, and with it the order, as domain.Spec.Order says.
func (r *Repository) List(ctx context.Context, tx uow.Tx, s domain.Spec, p page.Request) (page.Page[domain.File], error) {
	q := newQuery(s, p)
	switch {
	case q.status != nil && s.Status != domain.Ready:
		return r.byStatus(ctx, tx, q)
	case s.Order() == domain.ByPath:
		return r.byPath(ctx, tx, q)
	case s.Order() == domain.ByName:
		return r.byName(ctx, tx, q)
	case s.Order() == domain.BySize:
		return r.bySize(ctx, tx, q)
	case q.owner != nil:
		return r.byOwner(ctx, tx, q)
	case q.kind != nil:
		return r.byTypes(ctx, tx, q)
	}
	return r.newest(ctx, tx, q)
}

// query is a spec as statements take it: nil is a filter that is not set.
type query struct {
	domain.Spec
	page   page.Request
	until  page.Position // places before it in time
	status *string
	below  *string
	name   *string
	kind   *string
	owner  *uuid.UUID
	sized  bool
	timed  bool
	rows   int32
}

func newQuery(s domain.Spec, p page.Request) query {
	q := query{
		Spec: s, page: p, until: p.From(), rows: int32(p.Limit) + 1,
		status: optional(string(s.Status)), below: optional(s.Below), name: optional(s.NamePrefix), kind: optional(s.TypePrefix),
		owner: optional(s.OwnerID), sized: s.Sized(), timed: !s.From.IsZero() || s.To.Before(domain.EndOfTime),
	}
	if !q.until.At.Before(s.To) {
		q.until = page.Position{At: s.To} // no id is smaller than none: before To
	}
	return q
}

func (r *Repository) newest(ctx context.Context, tx uow.Tx, q query) (page.Page[domain.File], error) {
	rows, err := r.q.ListFiles(ctx, pg.DB(tx), filesdb.ListFilesParams{
		UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.From, FromID: uuid.Nil, MaxItems: q.rows,
		TypePrefix: q.kind, Sized: q.sized, MinSize: q.MinSize, MaxSize: q.MaxSize, Status: q.status,
	})
	return cut(rows, err, q.page.Limit, byTime)
}

func (r *Repository) byOwner(ctx context.Context, tx uow.Tx, q query) (page.Page[domain.File], error) {
	rows, err := r.q.ListFilesByOwner(ctx, pg.DB(tx), filesdb.ListFilesByOwnerParams{
		OwnerID: q.OwnerID, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.From, FromID: uuid.Nil, MaxItems: q.rows,
		TypePrefix: q.kind, Sized: q.sized, MinSize: q.MinSize, MaxSize: q.MaxSize, Status: q.status,
	})
	return cut(rows, err, q.page.Limit, byTime)
}

// maxTypes is how many content types are walked side by side.
const maxTypes = 200

// byTypes asks which types begin so, and walks along each of them; along
// everything where somebody has declared more of them than anybody needs.
func (r *Repository) byTypes(ctx context.Context, tx uow.Tx, q query) (page.Page[domain.File], error) {
	types, err := r.q.FileTypes(ctx, pg.DB(tx), maxTypes+1, q.TypePrefix, beyond(q.TypePrefix))
	if err != nil {
		return page.Page[domain.File]{}, pg.Translate(err, nil, nil)
	}
	if len(types) > maxTypes {
		return r.newest(ctx, tx, q)
	}
	rows, err := r.q.ListFilesByTypes(ctx, pg.DB(tx), filesdb.ListFilesByTypesParams{
		Types: types, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.From, FromID: uuid.Nil, MaxItems: q.rows,
		Sized: q.sized, MinSize: q.MinSize, MaxSize: q.MaxSize, Status: q.status,
	})
	return cut(rows, err, q.page.Limit, byTime)
}

func (r *Repository) byStatus(ctx context.Context, tx uow.Tx, q query) (page.Page[domain.File], error) {
	rows, err := r.q.ListFilesByStatus(ctx, pg.DB(tx), filesdb.ListFilesByStatusParams{
		Status: string(q.Status), UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.From, FromID: uuid.Nil, MaxItems: q.rows,
		Folder: q.Folder, Below: q.below, NamePrefix: q.name, TypePrefix: q.kind, OwnerID: q.owner,
		Sized: q.sized, MinSize: q.MinSize, MaxSize: q.MaxSize,
	})
	return cut(rows, err, q.page.Limit, byTime)
}

func (r *Repository) bySize(ctx context.Context, tx uow.Tx, q query) (page.Page[domain.File], error) {
	size, id := q.MaxSize, uuid.Max
	if q.page.After != nil {
		size, id = sizeOf(q.page.After.Text), q.page.After.ID
	}
	rows, err := r.q.ListFilesBySize(ctx, pg.DB(tx), filesdb.ListFilesBySizeParams{
		UntilSize: size, UntilID: id, MinSize: q.MinSize, MaxItems: q.rows, Timed: q.timed, FromAt: q.From, ToAt: q.To, Status: q.status,
	})
	return cut(rows, err, q.page.Limit, bySize)
}

func (r *Repository) byName(ctx context.Context, tx uow.Tx, q query) (page.Page[domain.File], error) {
	after := page.Position{Text: q.NamePrefix}
	if q.page.After != nil {
		after = *q.page.After
	}
	rows, err := r.q.ListFilesByName(ctx, pg.DB(tx), filesdb.ListFilesByNameParams{
		AfterName: after.Text, AfterID: after.ID, EndName: beyond(q.NamePrefix), MaxItems: q.rows,
		Below: q.below, TypePrefix: q.kind, OwnerID: q.owner, Sized: q.sized, MinSize: q.MinSize, MaxSize: q.MaxSize,
		Timed: q.timed, FromAt: q.From, ToAt: q.To, Status: q.status,
	})
	return cut(rows, err, q.page.Limit, func(f domain.File) page.Position { return page.Position{Text: f.Name, ID: f.ID} })
}

func (r *Repository) byPath(ctx context.Context, tx uow.Tx, q query) (page.Page[domain.File], error) {
	first, end := q.paths()
	after := page.Position{Text: first.folder + first.name}
	if q.page.After != nil {
		after = *q.page.After
	}
	at := pathOf(after.Text)
	rows, err := r.q.ListFilesByPath(ctx, pg.DB(tx), filesdb.ListFilesByPathParams{
		AfterFolder: at.folder, AfterName: at.name, AfterID: after.ID, EndFolder: end.folder, EndName: end.name, MaxItems: q.rows,
		TypePrefix: q.kind, OwnerID: q.owner, Sized: q.sized, MinSize: q.MinSize, MaxSize: q.MaxSize,
		Timed: q.timed, FromAt: q.From, ToAt: q.To, Status: q.status,
	})
	return cut(rows, err, q.page.Limit, func(f domain.File) page.Position { return page.Position{Text: f.Folder + f.Name, ID: f.ID} })
}

// path is the place of a file.
type path struct{ folder, name string }

// pathOf takes a path apart: no name has a slash, and every folder ends in one.
func pathOf(text string) path {
	cut := strings.LastIndexByte(text, '/') + 1
	return path{text[:cut], text[cut:]}
}

// paths is the range of a folder, of a beginning of names in it, or of all
// below one. No path has the first of the control characters, so what follows a
// folder at once is itself with that behind it.
func (q query) paths() (first, end path) {
	switch {
	case q.Folder == nil:
		return path{q.Below, ""}, path{beyond(q.Below), ""}
	case q.name == nil:
		return path{*q.Folder, ""}, path{*q.Folder + "\x01", ""}
	}
	return path{*q.Folder, q.NamePrefix}, path{*q.Folder, beyond(q.NamePrefix)}
}

// beyond is the first text behind all that begin with a prefix, in the order of
// characters.
func beyond(prefix string) string {
	for prefix != "" {
		last, length := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-length]
		switch {
		case last == utf8.MaxRune:
			continue // nothing follows it: what follows the one before does
		case last+1 == surrogates:
			return prefix + string(rune(afterSurrogates))
		}
		return prefix + string(last+1)
	}
	return strings.Repeat(string(utf8.MaxRune), domain.MaxPath+1)
}

// No text has characters from surrogates to afterSurrogates.
const (
	surrogates      = 0xD800
	afterSurrogates = 0xE000
)

func byTime(f domain.File) page.Position { return page.Position{At: f.CreatedAt, ID: f.ID} }

func bySize(f domain.File) page.Position {
	return page.Position{Text: strconv.FormatInt(f.Size, 10), ID: f.ID}
}

// sizeOf reads what bySize has written. Cursors are signed, so nobody else has.
func sizeOf(text string) int64 {
	size, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return math.MaxInt64
	}
	return size
}

func cut(rows []filesdb.File, err error, limit int, at func(domain.File) page.Position) (page.Page[domain.File], error) {
	if err != nil {
		return page.Page[domain.File]{}, pg.Translate(err, nil, nil)
	}
	return page.Cut(all(rows), limit, at), nil
}

// Folders implements domain.Repository.
func (r *Repository) Folders(ctx context.Context, tx uow.Tx, parent string, p page.Request) (page.Page[string], error) {
	after := parent
	if p.After != nil {
		after = beyond(p.After.Text)
	}
	paths, err := r.q.ListFolders(ctx, pg.DB(tx), filesdb.ListFoldersParams{
		Parent: parent, After: after, Ending: beyond(parent), MaxItems: int32(p.Limit) + 1,
	})
	if err != nil {
		return page.Page[string]{}, pg.Translate(err, nil, nil)
	}
	return page.Cut(paths, p.Limit, func(path string) page.Position { return page.Position{Text: path} }), nil
}
