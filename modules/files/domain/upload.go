package domain

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Upload is content on its way to a pending file.
type Upload struct {
	FileID    uuid.UUID
	Object    uuid.UUID // where a client that sends to the object store puts the bytes
	Method    Method
	PartSize  int64  // of all parts but the last; 0 unless Multipart
	Multipart string // what the object store calls the upload in parts; empty before it was begun
	SHA256    []byte // as declared; nil when it was not
	ExpiresAt time.Time
	Replaces  bool // whether its sender may put it in the place of somebody else's file
}

// Succeeds checks that a file may become the next version of what carries its
// name; ErrNotReplaced.
func (u Upload) Succeeds(f, current File) error {
	if current.OwnerID != f.OwnerID && !u.Replaces {
		return ErrNotReplaced
	}
	return nil
}

// Parts is how many parts content of a size has.
func (u Upload) Parts(size int64) int32 {
	if u.Method != Multipart {
		return 0
	}
	return int32((size + u.PartSize - 1) / u.PartSize)
}

// PartSizes are the lengths of some parts; ErrInvalid for a part there is not.
func (u Upload) PartSizes(size int64, numbers []int32) ([]int64, error) {
	sizes := make([]int64, len(numbers))
	for i, n := range numbers {
		if n < 1 || n > u.Parts(size) {
			return nil, ErrInvalid.At(fmt.Sprintf("#/numbers/%d", i), fmt.Sprintf("is no part from 1 to %d", u.Parts(size)))
		}
		sizes[i] = u.partSize(size, n)
	}
	return sizes, nil
}

func (u Upload) partSize(size int64, n int32) int64 {
	return min(u.PartSize, size-int64(n-1)*u.PartSize)
}

// Stored is a part that the object store has.
type Stored struct {
	Number int32
	Size   int64
	ETag   string
}

// Arrived are the stored parts that are whole. A store may show one whose
// sender was cut off: it must be sent again.
func (u Upload) Arrived(size int64, stored []Stored) []Stored {
	return slices.DeleteFunc(slices.Clone(stored), func(s Stored) bool {
		return s.Number < 1 || s.Number > u.Parts(size) || s.Size != u.partSize(size, s.Number)
	})
}

// Everything is what has arrived when all has.
func (u Upload) Everything(size int64) []Stored {
	all := make([]Stored, u.Parts(size))
	for i := range all {
		all[i] = Stored{Number: int32(i + 1), Size: u.partSize(size, int32(i+1))}
	}
	return all
}

// maxNamed bounds how many missing parts are named.
const maxNamed = 20

// Whole checks that stored parts are all there are of content of a size;
// ErrIncomplete names those that are missing.
func (u Upload) Whole(size int64, stored []Stored) error {
	missing := ErrIncomplete
	for n := int32(1); n <= u.Parts(size) && len(missing.Fields) < maxNamed; n++ {
		at := slices.IndexFunc(stored, func(s Stored) bool { return s.Number == n })
		switch want := u.partSize(size, n); {
		case at < 0:
			missing = missing.At(fmt.Sprintf("part %d", n), "has not arrived")
		case stored[at].Size != want:
			missing = missing.At(fmt.Sprintf("part %d", n), fmt.Sprintf("has not %d bytes", want))
		}
	}
	if len(missing.Fields) > 0 {
		return missing
	}
	return nil
}

// Agrees checks content against what was declared; ErrChecksum.
func (u Upload) Agrees(c Content) error {
	if u.SHA256 != nil && !bytes.Equal(u.SHA256, c.SHA256) {
		return ErrChecksum
	}
	return nil
}

// Held is an upload whose content has arrived under object: its time does not
// run out any more.
func (u Upload) Held(object uuid.UUID) Upload {
	u.Object, u.Multipart, u.ExpiresAt = object, "", EndOfTime
	return u
}

// Again waits for other content, under a new name: whoever still holds a link
// to the old one changes nothing with it.
func (u Upload) Again(object uuid.UUID, p Policy, now time.Time) Upload {
	u.Object, u.Multipart, u.ExpiresAt = object, "", now.Add(p.UploadTTL)
	return u
}
