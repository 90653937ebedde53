package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

const (
	// maxCopyBytes is the largest object one CopyObject may copy: S3's own limit.
	maxCopyBytes = 5 << 30
	// maxParts is S3's limit on the parts of one multipart upload.
	maxParts = 10000
	// maxConnections bounds sockets and, with it, requests in flight.
	maxConnections = 4096
	// healthPath answers 200 without a signature; a bucket of that name would be hidden.
	healthPath = "/healthz"
)

// settings is everything the server needs to know.
type settings struct {
	addr, dir, region string
	keys              keys
}

// serve answers S3 requests until ctx ends.
func serve(ctx context.Context, s settings) error {
	be, err := open(s.dir)
	if err != nil {
		return err
	}
	err = embedgw.RunVersityGW(ctx, whole{be}, &embedgw.Config{
		RootUserAccess:    s.keys.access,
		RootUserSecret:    s.keys.secret,
		Region:            s.region,
		Ports:             []string{s.addr},
		MaxConnections:    maxConnections,
		MaxRequests:       maxConnections,
		MultipartMaxParts: maxParts,
		Quiet:             true,
		KeepAlive:         true,
		HealthPath:        healthPath,
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve S3 on %s: %w", s.addr, err)
	}
	return nil
}

// open prepares dir/{objects,versions,meta}. Metadata goes into extended
// attributes where the file system has them and into dir/meta where not; what
// a directory started with, it keeps, or old objects would lose their metadata.
func open(dir string) (*posix.Posix, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	objects, versions, sidecar := filepath.Join(dir, "objects"), filepath.Join(dir, "versions"), filepath.Join(dir, "meta")
	for _, d := range []string{objects, versions} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("create data directory: %w", err)
		}
	}
	opts := posix.PosixOpts{VersioningDir: versions, CopyObjectThreshold: maxCopyBytes}
	_, statErr := os.Stat(sidecar)
	if statErr != nil && (meta.XattrMeta{}).Test(objects) == nil {
		return posix.New(objects, meta.XattrMeta{}, opts)
	}
	if err := os.MkdirAll(sidecar, 0o700); err != nil {
		return nil, fmt.Errorf("create metadata directory: %w", err)
	}
	store, err := meta.NewSideCar(sidecar)
	if err != nil {
		return nil, fmt.Errorf("open metadata directory: %w", err)
	}
	opts.SideCarDir = sidecar
	return posix.New(objects, store, opts)
}
