package pgtest

import (
	"fmt"
	"maps"
	"slices"
	"testing/fstest"

	atlas "ariga.io/atlas/sql/migrate"
)

// Migrations is a directory of migrations by their versions, with its sums, for
// schemas that are others than the product's.
func Migrations(texts map[int64]string) (fstest.MapFS, error) {
	out := fstest.MapFS{}
	var all []atlas.File
	for _, version := range slices.Sorted(maps.Keys(texts)) {
		name := fmt.Sprintf("%d_step.sql", version)
		out[name] = &fstest.MapFile{Data: []byte(texts[version] + "\n")}
		all = append(all, atlas.NewLocalFile(name, out[name].Data))
	}
	sum, err := atlas.NewHashFile(all)
	if err != nil {
		return nil, err
	}
	text, err := sum.MarshalText()
	out[atlas.HashFileName] = &fstest.MapFile{Data: text}
	return out, err
}
