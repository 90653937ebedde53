package domain

import (
	"context"
	"iter"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Repository reads the trail of a tenant.
type Repository interface {
	// Get returns ErrNotFound when there is no such event.
	Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (Event, error)
	// List pages through the events that a spec finds, the newest first.
	List(ctx context.Context, tx uow.Tx, s Spec, p page.Request) (page.Page[Event], error)
}

// Tree keeps which records of a tenant are sealed, and how.
type Tree interface {
	// Last is the newest seal, without its hashes; the zero Seal when nothing
	// is sealed yet. Its mark is zero where it was made on another server: what
	// it says of transactions means nothing here.
	Last(ctx context.Context, tx uow.Tx) (Seal, error)
	// Server names the database server that a Mark counts on.
	Server(ctx context.Context, tx uow.Tx) (string, error)
	// Settled are records behind a mark that no other can come between: see
	// the comment of package infra.
	Settled(ctx context.Context, tx uow.Tx, after Mark, limit int) ([]Written, error)
	// After are records behind a mark that no other can come between, whether
	// they are sealed or not.
	After(ctx context.Context, tx uow.Tx, m Mark, limit int) ([]Written, error)
	// Newest is the place of the last record that no other can come before.
	Newest(ctx context.Context, tx uow.Tx) (Mark, error)
	// Stranded are records without a number, of another server or settled.
	Stranded(ctx context.Context, tx uow.Tx, limit int) ([]Written, error)
	// Add keeps a seal, unless another one begins at the same record.
	Add(ctx context.Context, tx uow.Tx, s Seal) (added bool, err error)

	// Hashes are those stored at these places, in their order.
	Hashes(ctx context.Context, tx uow.Tx, positions []int64) ([]tlog.Hash, error)
	// SealsAfter are the seals of trees larger than size, by growing size,
	// without their events.
	SealsAfter(ctx context.Context, tx uow.Tx, size int64, limit int) ([]Seal, error)
	// SealOf is the seal of a tree of this size, without its events;
	// ErrNotFound.
	SealOf(ctx context.Context, tx uow.Tx, size int64) (Seal, error)
	// Sealed are the records with these numbers, from from on and before to.
	Sealed(ctx context.Context, tx uow.Tx, from, to int64) ([]Numbered, error)
	// Tail are the records behind a mark, without a number or with one of these
	// numbers, in the order in which they are sealed.
	Tail(ctx context.Context, tx uow.Tx, after Mark, from int64, limit int) ([]Tail, error)
	// Leaves are the ids of records by these numbers, of those too that are
	// gone.
	Leaves(ctx context.Context, tx uow.Tx, from, to int64) (map[int64]uuid.UUID, error)
	// Number is that of a record; nil before it is sealed.
	Number(ctx context.Context, tx uow.Tx, id uuid.UUID) (*int64, error)
	// FirstNumber is the smallest that a record has; nil when none has one.
	FirstNumber(ctx context.Context, tx uow.Tx) (*int64, error)
	// Behind is a record that is older than the mark and has no number.
	Behind(ctx context.Context, tx uow.Tx, m Mark) (*uuid.UUID, error)
	// Remove removes records with numbers that follow one another, and what
	// says that they had them. Their hashes stay.
	Remove(ctx context.Context, tx uow.Tx, events []Numbered) error
	// Unsealed counts the records behind the mark that have no number.
	Unsealed(ctx context.Context, tx uow.Tx, m Mark) (int64, error)
}

// Numbered is an event with its number in the tree.
type Numbered struct {
	Event
	Number int64
}

// Tail is a record that may not be sealed yet.
type Tail struct {
	Written
	Number *int64
}

// Published keeps evidence outside the database.
type Published interface {
	// Publish keeps a seal's head and the hashes of its records.
	Publish(ctx context.Context, tenant uuid.UUID, s Seal) error
	// PublishRecords keeps the lines of the sealed records themselves.
	PublishRecords(ctx context.Context, tenant uuid.UUID, size int64, lines []byte) error
	// Find is the head of this size as it was kept, signed and not yet opened.
	Find(ctx context.Context, tenant uuid.UUID, size int64) (line HeadLine, kept bool, err error)
	// Sizes are those of the heads kept, the smallest first, that are larger
	// than after.
	Sizes(ctx context.Context, tenant uuid.UUID, after int64) iter.Seq2[int64, error]
}
