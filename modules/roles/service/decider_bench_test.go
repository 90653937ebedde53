package service_test

import (
	"testing"

	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// BenchmarkDecide asks for what a request asks twice: before its body is read,
// and when its operation runs.
func BenchmarkDecide(b *testing.B) {
	decider := service.NewDecider()
	request := scope.Request{Tenant: tenancy.Tenant{Kind: tenancy.Customer, Status: tenancy.Active}, Caller: caller(authn.User)}
	for name, c := range map[string]struct {
		def   op.Def
		allow bool
	}{"allowed": {granted, true}, "denied": {landlords, false}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if decider.Decide(request, c.def).Allow != c.allow {
					b.Fatal("decided otherwise")
				}
			}
		})
	}
}
