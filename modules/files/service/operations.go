// Package service holds the operations of the files module.
package service

import (
	"log/slog"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
)

// Operations are all operations of the module.
var Operations = []op.Def{Create, Upload, Get, List, Download, Delete}

// MaxBytes is the greatest size of one file, in bytes.
type MaxBytes int64

// Files is a tenant's files as its users work with them.
type Files struct {
	run      *op.Runner
	repo     domain.Repository
	contents domain.Contents
	max      MaxBytes
	clock    clock.Clock
	ids      id.Source
	log      *slog.Logger
}

// New makes the service of one request.
func New(run *op.Runner, repo domain.Repository, contents domain.Contents, limit MaxBytes, c clock.Clock, ids id.Source, log *slog.Logger) *Files {
	return &Files{run: run, repo: repo, contents: contents, max: limit, clock: c, ids: ids, log: log}
}
