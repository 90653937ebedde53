package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
)

// ErrChecksum is what Load answers when the files are not the ones that atlas.sum pins.
var ErrChecksum = errors.New("migration files differ from atlas.sum")

// Dir is a verified directory of migrations: each file split into its statements, in the order of versions.
// It does not change after Load and may be shared by goroutines.
type Dir struct {
	files []file
}

// file is one migration.
type file struct {
	version     string
	description string
	name        string
	hash        string // as in atlas.sum: covers this file and all before it
	text        string
	stmts       []*atlas.Stmt
	alone       bool // runs outside a transaction, see steps.go
}

// Load reads the migrations in the root of fsys and verifies them against atlas.sum. A file that was added,
// edited or removed since the sum was written is an error that wraps ErrChecksum and names the file.
// A directory without any migration is valid; its Version is empty.
func Load(fsys fs.FS) (*Dir, error) {
	src := source{fsys}
	if err := verify(src); err != nil {
		return nil, err
	}
	sums, err := src.Checksum()
	if err != nil {
		return nil, fmt.Errorf("hash migrations: %w", err)
	}
	raw, err := src.Files()
	if err != nil {
		return nil, err
	}
	d := &Dir{files: make([]file, 0, len(raw))}
	for _, r := range raw {
		f, err := parse(r, sums)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", r.Name(), err)
		}
		if last := d.Version(); f.version <= last {
			return nil, fmt.Errorf("migration %s: version %s does not follow %s", f.name, f.version, last)
		}
		d.files = append(d.files, f)
	}
	return d, nil
}

// Version returns the newest version of the directory, or "" when there is no migration.
func (d *Dir) Version() string {
	if len(d.files) == 0 {
		return ""
	}
	return d.files[len(d.files)-1].version
}

// Hash returns the hash of all migrations as in atlas.sum, or "" when there is none. Equal hashes make equal schemas.
func (d *Dir) Hash() string {
	if len(d.files) == 0 {
		return ""
	}
	return d.files[len(d.files)-1].hash
}

// Previous returns the version before the newest, or "" when there is none.
func (d *Dir) Previous() string {
	if len(d.files) < 2 {
		return ""
	}
	return d.files[len(d.files)-2].version
}

// Until returns the directory as it was when version was its newest: the beginning that a schema of that version
// has had. It reports false for a version that the directory does not have; "" is the empty beginning.
func (d *Dir) Until(version string) (*Dir, bool) {
	if version == "" {
		return &Dir{}, true
	}
	i := slices.IndexFunc(d.files, func(f file) bool { return f.version == version })
	return &Dir{files: d.files[:i+1]}, i >= 0
}

// Versions returns all versions, oldest first.
func (d *Dir) Versions() []string { return versions(d.files) }

func versions(files []file) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.version
	}
	return out
}

// verify compares the files with atlas.sum and says which one is to blame.
func verify(src source) error {
	err := atlas.Validate(src)
	if err == nil {
		return nil
	}
	if sum := (*atlas.ChecksumError)(nil); errors.As(err, &sum) {
		return fmt.Errorf("%w: %s was %s", ErrChecksum, sum.File, sum.Reason)
	}
	return fmt.Errorf("%w: %w", ErrChecksum, err)
}

func parse(r atlas.File, sums atlas.HashFile) (file, error) {
	hash, err := sums.SumByName(r.Name())
	if err != nil {
		return file{}, err
	}
	text := string(r.Bytes())
	stmts, err := Split(text)
	if err != nil {
		return file{}, err
	}
	f := file{version: r.Version(), description: r.Desc(), name: r.Name(), hash: hash, text: text, stmts: stmts, alone: outside(r)}
	for _, s := range stmts {
		if err := f.checkMode(s); err != nil {
			return file{}, fmt.Errorf("line %d: %w", f.line(s), err)
		}
		if word := transactionWord(s.Text); word != "" {
			return file{}, fmt.Errorf("line %d: %s: a migration runs inside its caller's transaction", f.line(s), word)
		}
	}
	return f, nil
}

// Split cuts SQL text into its statements by the rules of Atlas's PostgreSQL driver, so that this runner, the
// official command line and the schema tools always agree on where a statement ends.
func Split(text string) ([]*atlas.Stmt, error) {
	scanner := atlas.Scanner{ScannerOptions: atlas.ScannerOptions{
		MatchBegin:       true,
		MatchBeginAtomic: true,
		MatchDollarQuote: true,
		EscapedStringExt: true,
	}}
	stmts, err := scanner.Scan(text)
	if err != nil {
		return nil, fmt.Errorf("split into statements: %w", err)
	}
	return stmts, nil
}

// transactionWord returns the leading keyword of a statement that would end or nest the transaction around it.
func transactionWord(stmt string) string {
	words := strings.Fields(strings.ToUpper(strings.TrimRight(stmt, "; \n")))
	if len(words) == 0 {
		return ""
	}
	ends := []string{"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"}
	if slices.Contains(ends, words[0]) {
		return words[0]
	}
	return ""
}

// line returns the line of the file, counted from 1, in which a statement starts.
func (f file) line(s *atlas.Stmt) int {
	return 1 + strings.Count(f.text[:s.Pos], "\n")
}
