package migrate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	atlas "ariga.io/atlas/sql/migrate"

	"github.com/insulahq/insula/platform/pg/migrate"
)

const (
	first  = "20260101000000_rooms.sql"
	second = "20260102000000_keys.sql"
	third  = "20260103000000_view.sql"
)

// files returns three migrations with a valid atlas.sum.
func files(t *testing.T) fstest.MapFS {
	t.Helper()
	return sum(t, fstest.MapFS{
		first: {Data: []byte("-- Where people live.\nCREATE TABLE rooms (id integer, CONSTRAINT rooms_pkey PRIMARY KEY (id));\n" +
			"INSERT INTO rooms VALUES (1);\n")},
		second: {Data: []byte("CREATE TABLE keys (room integer);\nALTER TABLE keys ADD CONSTRAINT keys_room_fkey FOREIGN KEY (room) REFERENCES rooms (id);\n")},
		third:  {Data: []byte("CREATE FUNCTION \"odd; name\"() RETURNS integer LANGUAGE plpgsql AS $$\nBEGIN\n    RETURN 1;\nEND\n$$;\n")},
	})
}

// sum writes the atlas.sum of the files anew, as `schema hash` does.
func sum(t *testing.T, fsys fstest.MapFS) fstest.MapFS {
	t.Helper()
	var all []atlas.File
	for name, f := range fsys {
		if strings.HasSuffix(name, ".sql") {
			all = append(all, atlas.NewLocalFile(name, f.Data))
		}
	}
	slices.SortFunc(all, func(a, b atlas.File) int { return strings.Compare(a.Name(), b.Name()) })
	h, err := atlas.NewHashFile(all)
	if err != nil {
		t.Fatal(err)
	}
	text, err := h.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	fsys[atlas.HashFileName] = &fstest.MapFile{Data: text}
	return fsys
}

func load(t *testing.T, fsys fstest.MapFS) *migrate.Dir {
	t.Helper()
	d, err := migrate.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLoad(t *testing.T) {
	d := load(t, files(t))
	if d.Version() != "20260103000000" {
		t.Errorf("newest version is %q", d.Version())
	}
	if v := d.Versions(); !slices.Equal(v, []string{"20260101000000", "20260102000000", "20260103000000"}) {
		t.Errorf("versions are %q", v)
	}
	if empty := load(t, fstest.MapFS{}); empty.Version() != "" || len(empty.Versions()) != 0 {
		t.Errorf("an empty directory has version %q", empty.Version())
	}
}

func TestLoadRefuses(t *testing.T) {
	edit := func(name, text string) func(fstest.MapFS) {
		return func(f fstest.MapFS) { f[name] = &fstest.MapFile{Data: []byte(text)} }
	}
	cases := []struct {
		name     string
		change   func(fstest.MapFS)
		resum    bool
		checksum bool
		says     string
	}{
		{"edited", edit(second, "SELECT 1;"), false, true, second + " was edited"},
		{"added last", edit("20260104000000_x.sql", "SELECT 1;"), false, true, "20260104000000_x.sql was added"},
		{"added between", edit("20260101120000_x.sql", "SELECT 1;"), false, true, "20260101120000_x.sql was added"},
		{"removed", func(f fstest.MapFS) { delete(f, first) }, false, true, first + " was removed"},
		{"no sum", func(f fstest.MapFS) { delete(f, "atlas.sum") }, false, true, "not found"},
		{"sum edited", edit("atlas.sum", "h1:AAAA\n"), false, true, "mismatch"},
		{"same version twice", edit("20260102000000_other.sql", "SELECT 1;"), true, false, "does not follow"},
		{"transaction", edit(second, "SELECT 1;\nCOMMIT;"), true, false, second + ": line 2: COMMIT"},
		{"concurrent in a transaction", edit(third, "CREATE INDEX CONCURRENTLY i ON rooms (id);"), true, false, third + ": line 1: CONCURRENTLY needs"},
		{"other things outside one", edit(third, none+"DROP INDEX CONCURRENTLY i;\nDROP TABLE rooms;"), true, false, third + ": line 4: a file of txmode none"},
		{"index without a name", edit(third, none+"CREATE INDEX CONCURRENTLY ON rooms (id);"), true, false, third + ": line 3: a file of txmode none"},
		{"unfinished string", edit(second, "SELECT 'x"), true, false, second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := files(t)
			c.change(f)
			if c.resum {
				sum(t, f)
			}
			_, err := migrate.Load(f)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
			if errors.Is(err, migrate.ErrChecksum) != c.checksum {
				t.Errorf("ErrChecksum: want %v in %v", c.checksum, err)
			}
		})
	}
}
