package migrate

import (
	"errors"
	"fmt"
)

// The recorded history of a schema must be a beginning of the directory. These are the ways in which it is not;
// in none of them is anything changed.
var (
	// ErrEdited: a migration that the schema has had was edited afterwards, or one before it was.
	ErrEdited = errors.New("an applied migration was edited")
	// ErrNewer: the schema has had migrations that this binary does not know, because a newer one ran.
	ErrNewer = errors.New("the schema is newer than this binary")
	// ErrDiverged: the schema has had other migrations than the directory has at the same place.
	ErrDiverged = errors.New("the schema has another history")
	// ErrPartial: a migration was left half done by a tool that does not run it in one transaction.
	ErrPartial = errors.New("a migration was applied in part")
)

// revision is what the history of a schema says about one migration.
type revision struct {
	version string
	hash    string
	applied int64 // statements that ran
	total   int64 // statements in the file
}

// pending returns the migrations that a schema with the given history still has to get.
func (d *Dir) pending(history []revision) ([]file, error) {
	for i, r := range history {
		if i == len(history)-1 && d.resumable(i, r) {
			return d.files[i:], nil
		}
		if r.version > d.Version() {
			return nil, fmt.Errorf("%w: it has %s, the newest known here is %s", ErrNewer, r.version, orNone(d.Version()))
		}
		if i >= len(d.files) || d.files[i].version != r.version {
			return nil, fmt.Errorf("%w: it has %s where this binary has %s", ErrDiverged, r.version, d.versionAt(i))
		}
		if d.files[i].hash != r.hash {
			return nil, fmt.Errorf("%w: %s", ErrEdited, d.files[i].name)
		}
		if r.applied != r.total {
			return nil, fmt.Errorf("%w: %s, %d of %d statements", ErrPartial, d.files[i].name, r.applied, r.total)
		}
	}
	return d.files[len(history):], nil
}

// resumable reports that a migration outside a transaction was interrupted. Until its first statement has run it
// may still be edited.
func (d *Dir) resumable(i int, r revision) bool {
	if i >= len(d.files) || !d.files[i].alone || d.files[i].version != r.version || r.applied >= r.total {
		return false
	}
	return r.applied == 0 || d.files[i].hash == r.hash
}

func (d *Dir) versionAt(i int) string {
	if i >= len(d.files) {
		return orNone("")
	}
	return d.files[i].version
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}
