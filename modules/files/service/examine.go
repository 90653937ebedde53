package service

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Examine reads received content.
var Examine = op.Job("files.examine", "Read received content through, and have it scanned.", op.About("file"))

// Examination names content that waits to be read.
type Examination struct {
	File   uuid.UUID `json:"file"`
	Object uuid.UUID `json:"object"`
}

// Examine reads content that is held, once: its SHA-256, its type, and what
// the scanner finds decide whether the file is ready, quarantined, or waits
// for other content. An error, such as a scanner that is away, means that
// nothing was decided and the file is still held.
func (s *Files) Examine(ctx context.Context, x Examination) error {
	found, failed := s.inspect(ctx, x)
	switch {
	case errors.Is(failed, domain.ErrNotFound):
		return nil // given up meanwhile
	case recorded(failed):
		return failed
	}
	_, err := op.Do(ctx, s.run, Examine.On(x.File.String()), func(tx uow.Tx) (domain.File, error) {
		if failed != nil {
			return domain.File{}, failed
		}
		return s.decide(ctx, tx, x, found)
	})
	return err
}

// inspection is what reading content has shown; zero when somebody else has
// decided about it.
type inspection struct {
	content *domain.Content
	finding string
	lost    bool // the store does not have the content
}

func (s *Files) inspect(ctx context.Context, x Examination) (inspection, error) {
	f, err := s.look(ctx, Examine, x.File)
	if err != nil || !held(f, x) {
		return inspection{}, err
	}
	if _, err := s.Contents.Stat(ctx, x.Object); errors.Is(err, domain.ErrIncomplete) {
		return inspection{lost: true}, nil
	}
	c, finding, err := s.read(ctx, x.Object, f.Size, s.Scanner)
	return inspection{content: &c, finding: finding}, err
}

func held(f domain.File, x Examination) bool {
	return f.Status == domain.Scanning && f.Object == x.Object
}

// read reads an object to the end, past a scanner unless that is nil.
func (s *Files) read(ctx context.Context, object uuid.UUID, size int64, scanner domain.Scanner) (c domain.Content, finding string, err error) {
	body, err := s.Contents.Open(ctx, object, 0, size)
	if err != nil {
		return c, "", err
	}
	defer func() { _ = body.Close() }() // what was needed was read
	r, err := domain.Receive(body, size)
	if err != nil {
		return c, "", brokeOff(err)
	}
	if scanner != nil {
		if finding, err = scanner.Scan(ctx, r); err != nil {
			return c, "", brokeOff(err)
		}
	}
	c, err = r.Finish()
	return c, finding, brokeOff(err)
}

// brokeOff says of an error in reading a stored object that the store went
// away: the length of the object was right before.
func brokeOff(err error) error {
	if _, declared := errs.As(err); err == nil || declared && !errors.Is(err, domain.ErrSize) {
		return err
	}
	return errs.ErrUnavailable.Because(err)
}

// decide acts on an inspection, unless somebody else has.
func (s *Files) decide(ctx context.Context, tx uow.Tx, x Examination, found inspection) (domain.File, error) {
	f, err := s.lockFile(ctx, tx, x.File)
	if err != nil {
		return f, err
	}
	tx.Trail().On("file", f.ID.String(), f.Name)
	if !held(f, x) || found == (inspection{}) {
		return f, nil
	}
	u, err := s.Keep.GetUpload(ctx, tx, f.ID)
	if err != nil {
		return f, err
	}
	switch wrong := s.verdict(u, found.content); {
	case found.lost:
		return s.refuse(ctx, tx, f.ID, x.Object, domain.ErrIncomplete)
	case found.finding != "":
		return s.quarantine(ctx, tx, f, *found.content, found.finding)
	case wrong != nil:
		return s.refuse(ctx, tx, f.ID, x.Object, wrong)
	}
	published, err := s.publish(ctx, tx, f, u, *found.content, x.Object)
	if errors.Is(err, domain.ErrNotReplaced) { // the name was taken since the content came
		return s.refuse(ctx, tx, f.ID, x.Object, domain.ErrNotReplaced)
	}
	return published, err
}

func (s *Files) quarantine(ctx context.Context, tx uow.Tx, before domain.File, c domain.Content, finding string) (domain.File, error) {
	after, err := before.Quarantine(c, finding, s.Clock.Now())
	if err != nil {
		return before, err
	}
	if err := s.Keep.DeleteUpload(ctx, tx, before.ID); err != nil {
		return before, err
	}
	tx.Trail().Changed(before.View(), after.View())
	return s.Keep.Update(ctx, tx, after)
}
