// Package filesmodule lists the providers of the files module by lifetime.
package filesmodule

import (
	"io"

	"github.com/google/wire"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/config"
)

// Process are the parts that live as long as the process.
var Process = wire.NewSet(
	infra.NewRepository, wire.Bind(new(domain.Keeper), new(*infra.Repository)),
	NewScanner, NewPolicies, NewTokens, infra.NewKeeper,
)

// Request are the parts of one request.
var Request = wire.NewSet(
	infra.NewContents, wire.Bind(new(domain.Contents), new(*infra.Contents)),
	PolicyOf, wire.Struct(new(service.Parties), "*"), service.New,
)

// NewTokens draws the tokens of shares.
func NewTokens(s config.Security, random io.Reader) *service.Tokens {
	return service.NewTokens(s.SecretKey, random)
}

// NewScanner is the scanner that the settings name; nil for none.
func NewScanner(f config.Files) domain.Scanner {
	if f.ScanAddr == "" {
		return nil
	}
	return infra.NewClamd(f.ScanAddr, f.ScanTimeout)
}
