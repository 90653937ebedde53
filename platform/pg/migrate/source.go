package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	atlas "ariga.io/atlas/sql/migrate"
)

// source shows a read-only file system, such as the one embedded in the binary, as a directory of Atlas.
type source struct{ fs.FS }

var _ atlas.Dir = source{}

// Files implements atlas.Dir: the *.sql files in the root, in the order of their names.
func (s source) Files() ([]atlas.File, error) {
	names, err := fs.Glob(s.FS, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	slices.Sort(names)
	files := make([]atlas.File, 0, len(names))
	for _, name := range names {
		b, err := fs.ReadFile(s.FS, name)
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		files = append(files, atlas.NewLocalFile(name, b))
	}
	return files, nil
}

// Checksum implements atlas.Dir.
func (s source) Checksum() (atlas.HashFile, error) {
	files, err := s.Files()
	if err != nil {
		return nil, err
	}
	return atlas.NewHashFile(files)
}

// WriteFile implements atlas.Dir by refusing: this package only reads.
func (source) WriteFile(name string, _ []byte) error {
	return &fs.PathError{Op: "write", Path: name, Err: errors.ErrUnsupported}
}
