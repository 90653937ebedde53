package pg

import (
	"context"
	"errors"
	"time"

	"github.com/insulahq/insula/platform/uow"
)

// Mover brings a tenant's schema from one database to another while it is in
// use. Readers are never stopped; writers wait once, for the short time in
// which the last changes are brought over (the window), and then find the
// tenant in its new place.
//
// A move copies all rows of one instant, and then, in rounds, what has changed
// since: rows are told by the transaction that wrote them, so the source needs
// neither triggers nor logical replication, nor a superuser. Until the window
// ends in the switch the source is the truth and is left as it was, whatever
// goes wrong; from there on the target is, and the move only goes forward.
//
// The time of a window grows with the size of the tenant: everything is read
// once to find what has changed since the last round. It does not grow with
// what the copy takes.
type Mover struct {
	from, to *Carrier
	options  MoveOptions
}

// MoveOptions bound how long writers may wait. The zero value means the defaults.
type MoveOptions struct {
	// Window is how long the tenant's tables may be locked at most (6 s), from the
	// moment that all are: past it the locks are let go, and after more rounds it is tried again.
	Window time.Duration
	// LockWait is how long those who write are waited for (300 ms), for all tables
	// together: new writers wait behind. It must be shorter than deadlock_timeout (1 s).
	LockWait time.Duration
	// Attempts is how often the window is tried before the move is given up (20).
	Attempts int
}

// MoveStep is a place from which a move goes on after a crash.
type MoveStep string

// The steps of a move, in order.
const (
	MoveCopying  MoveStep = "copying"  // the source is the truth; Undo removes what was made at the target
	MoveSwitched MoveStep = "switched" // the target is the truth, and may not be open yet
	MoveCleaning MoveStep = "cleaning" // the tenant works at the target; the source still has its old rows
	MoveOver     MoveStep = "over"     // nothing is left at the source
)

// Moving is how far a move has come: what another process needs to go on. It is
// kept by MoveHooks.Keep, in any form that gives it back as it was, such as JSON.
// The zero value with a schema is a move that has not begun.
type Moving struct {
	Schema string   `json:"schema"` // the same on both sides
	Step   MoveStep `json:"step"`
	// Version is that of the schema, at the source and so at the target.
	Version int64 `json:"version"`
	// Since is the oldest transaction of the source whose rows may be missing in
	// the tables that are Copied.
	Since  int64    `json:"since,omitempty"`
	Copied []string `json:"copied,omitempty"`
	// Window is how long writers waited, once the step is past MoveSwitched. After
	// a crash between the switch and the opening it is not known: 0.
	Window time.Duration `json:"window,omitempty"`
	// Rows and Bytes are what Moved tells, from the switch on.
	Rows  int64 `json:"rows,omitempty"`
	Bytes int64 `json:"bytes,omitempty"`
}

// MoveHooks are what a move does to the registries and to whoever watches it.
// Keep, Leave and Open are needed; each may run again after a failure.
type MoveHooks struct {
	// Keep keeps how far the move has come, before Move goes on.
	Keep func(ctx context.Context, m Moving) error
	// Arrive runs at the target in the transaction that makes the schema ready,
	// in the window: for rows that the schema needs there. The tenant must stay
	// closed at the target.
	Arrive func(ctx context.Context, tx uow.Tx) error
	// Leave runs at the source in the transaction that gives the tenant up: it
	// has the registry say that the tenant is elsewhere. It is the last thing
	// that can fail without a trace; when it is committed, the target is the truth.
	Leave func(ctx context.Context, tx uow.Tx) error
	// Open has the tenant let in at the target. Writers wait until it is done.
	Open func(ctx context.Context) error
	// Progress hears what is being done, often; it must be quick.
	Progress func(p MoveProgress)
}

// MoveStage is what a move is doing.
type MoveStage string

// The stages of a move. Copying, catching up and checking hold nobody up.
const (
	MovePrepares  MoveStage = "preparing"   // the target gets its empty schema
	MoveCopies    MoveStage = "copying"     // all rows of one instant
	MoveCatchesUp MoveStage = "catching up" // what has changed since
	MoveChecks    MoveStage = "checking"    // all rows are compared
	MoveLocks     MoveStage = "locking"     // writers begin to wait
	MoveInWindow  MoveStage = "window"      // writers wait
	MoveSwitches  MoveStage = "switching"   // the source gives the tenant up
	MoveOpens     MoveStage = "opening"     // the target lets it in
	MoveCleans    MoveStage = "cleaning"    // the source loses its old rows
)

// MoveProgress is how far a stage has come.
type MoveProgress struct {
	Stage MoveStage
	Table string // that is being worked on; may be empty
	Round int    // of catching up, from 1; attempts of locking
	Bytes int64  // of all bytes of the tables that are over there, about
	Of    int64
	Rows  int64 // that this round has brought over
}

// Moved tells how a move went.
type Moved struct {
	Window time.Duration // from the moment that all locks were held until the target was open; 0 when unknown
	// Waited is how long writers waited beside the window: for the locks, in all attempts together.
	Waited   time.Duration
	Rounds   int   // of catching up
	Attempts int   // of the window
	Rows     int64 // copied and caught up
	Bytes    int64 // that went over the wire, in the text form of COPY
	Copy     time.Duration
}

// Errors of a move. ErrDrift refuses a source that is not as its version declares it.
var (
	// ErrSameDatabase says that source and target are one database.
	ErrSameDatabase = errors.New("the tenant is in that database")
	// ErrNoKey says that a table has no primary key, by which changes are brought over.
	ErrNoKey = errors.New("the table has no primary key")
	// ErrMoveBusy says that the tables could not be locked, or what changes
	// not be caught up with, in the time that writers may wait. Nothing has changed.
	ErrMoveBusy = errors.New("the tenant is too busy to be moved")
	// ErrMoveDiffers says that what arrived is not what was sent. Nothing has changed.
	ErrMoveDiffers = errors.New("the copy differs from the source")
	// ErrMoveOutdated says that the source has come to another version since the
	// move began, or that too much has happened since: Undo and begin again.
	ErrMoveOutdated = errors.New("the move began too long ago to go on")
	// ErrMovedElsewhere says that the source has given the schema up to another
	// target than this.
	ErrMovedElsewhere = errors.New("the schema has been moved to another database")
	// ErrNotThere says that the source has no such schema and never gave it up.
	ErrNotThere = errors.New("the schema is not there")
)

// NewMover makes a mover between the databases of two carriers.
func NewMover(from, to *Carrier, o MoveOptions) *Mover {
	if o.Window <= 0 {
		o.Window = 6 * time.Second
	}
	if o.LockWait <= 0 {
		o.LockWait = 300 * time.Millisecond
	}
	if o.Attempts <= 0 {
		o.Attempts = 20
	}
	return &Mover{from: from, to: to, options: o}
}
