package infra_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
)

// meddler is an object store that lets somebody in when an object has been read
// to its end.
type meddler struct {
	s3x.Blobs
	meddle func()
}

func (m *meddler) Get(ctx context.Context, key s3x.Key, part s3x.Range) (s3x.Content, error) {
	content, err := m.Blobs.Get(ctx, key, part)
	content.ReadCloser = &watchedEnd{content.ReadCloser, m}
	return content, err
}

type watchedEnd struct {
	io.ReadCloser
	of *meddler
}

func (w *watchedEnd) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if err == io.EOF && w.of.meddle != nil {
		w.of.meddle()
	}
	return n, err
}

// TestARestoreIsHeldAgainstItsArchive: rows that are not those of the archive
// when all of it has been read are found, whatever was done to them and though
// there are as many, before the schema is brought up to date and anybody sees it.
func TestARestoreIsHeldAgainstItsArchive(t *testing.T) {
	blobs := &meddler{Blobs: s3test.NewMemory(t, clock.At(start))}
	before := install(t, blobs, map[int64]string{older: olderSteps})
	after := install(t, blobs, map[int64]string{older: olderSteps, newer: newerSteps})
	old := before.house(t, anySlug())
	b := before.backUp(t, old)
	for what, statement := range map[string]string{
		"nothing":                   "SELECT 1",
		"a value is changed":        "UPDATE SCHEMA.rooms SET name = 'Study' WHERE id = 101",
		"a value is taken away":     "UPDATE SCHEMA.rooms SET name = NULL WHERE id = 101",
		"values change places":      `UPDATE SCHEMA.rooms SET name = CASE id WHEN 212 THEN 'study' ELSE E'bath\tand so on' END`,
		"a row is another":          "DELETE FROM SCHEMA.rooms WHERE id = 101; INSERT INTO SCHEMA.rooms (id, name) VALUES (102, 'study')",
		"a row is missing":          "DELETE FROM SCHEMA.rooms WHERE id = 101",
		"a row has come by itself":  "INSERT INTO SCHEMA.rooms (id) VALUES (1)",
		"only the order is another": "UPDATE SCHEMA.rooms SET name = name WHERE id = 101", // moves it behind the other
	} {
		harmless := what == "nothing" || strings.HasPrefix(what, "only")
		fresh := tenant(t, anySlug())
		insert(t, fresh)
		replacing, err := domain.Replacing(uuid.New(), b, old, uuid.New())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []domain.Copy{domain.Founding(uuid.New(), b, fresh), replacing} {
			reads := 0
			blobs.meddle = func() {
				if reads++; reads == 2 { // the first one was to look at the archive
					execute(t, pgtest.Database(t).SuperuserURL, strings.ReplaceAll(statement, "SCHEMA", pgx.Identifier{c.Schema}.Sanitize()))
				}
			}
			c, err := after.unpack(t, c, b)
			if blobs.meddle = nil; harmless && err != nil || !harmless && !errors.Is(err, domain.ErrDiffers) {
				t.Errorf("%s during a %s: %v", what, c.Kind, err)
			}
			if reads < 2 {
				t.Fatal("nobody meddled")
			}
			after.giveUp(t, c)
		}
	}
}

// execute runs statements with all rights.
func execute(t *testing.T, url, statements string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	if _, err := db.Exec(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

// giveUp undoes a copy.
func (p product) giveUp(t *testing.T, c domain.Copy) {
	t.Helper()
	if undoing, err := p.copies.Note(t.Context(), c, domain.ErrDiffers, true); err != nil || !undoing {
		t.Fatalf("%v, %v", undoing, err)
	}
	if err := errors.Join(p.porter.RemoveSchema(t.Context(), c, c.Schema), p.copies.Undone(t.Context(), c)); err != nil {
		t.Fatal(err)
	}
}
