// Package migrations holds the versioned steps towards the declared schema, compiled into the binary.
//
// `make new-migration` writes a step; the declared schema itself is in schema/.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed control tenant
var files embed.FS

// The two scopes: Control is run once per installation and qualifies every name; Tenant is run once per tenant,
// in the tenant's own schema, and qualifies none.
var (
	Control = scope("control")
	Tenant  = scope("tenant")
)

func scope(dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // only an invalid path, and these are constants
	}
	return sub
}
