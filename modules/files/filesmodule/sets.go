// Package filesmodule lists the providers of the files module by lifetime.
package filesmodule

import (
	"github.com/google/wire"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/config"
)

// Process are the parts that live as long as the process.
var Process = wire.NewSet(
	infra.NewRepository, wire.Bind(new(domain.Repository), new(*infra.Repository)),
	MaxBytes,
)

// Request are the parts of one request.
var Request = wire.NewSet(
	infra.NewContents, wire.Bind(new(domain.Contents), new(*infra.Contents)),
	service.New,
)

// MaxBytes is the greatest size of one file that the settings allow.
func MaxBytes(l config.Limits) service.MaxBytes { return service.MaxBytes(l.MaxFileBytes) }
