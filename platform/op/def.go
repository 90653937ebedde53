// Package op is the one noun of Insula: the operation.
//
// "users.create" is at once the permission a role is made of, the action in
// the audit trail, the label on the metric and the operationId of the OpenAPI
// document. It is declared once, as a Def beside the service method it
// guards, and Do is the only way to run it.
package op

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/insulahq/insula/platform/uow"
)

// Guard says who may run an operation.
type Guard uint8

// The guards. ByPermission is what an operation has when it says nothing.
const (
	ByPermission Guard = iota // holders of the permission of the same name
	BySession                 // anybody signed in, about themselves
	ByNobody                  // public: no caller needed
	ByLandlord                // holders of the permission in the operator's tenant
	ByJob                     // background work of that name; it has no route
)

// Def declares an operation. It is a value: On returns a copy.
type Def struct {
	Name    string // "<module>.<verb>" or "<module>.<noun>.<verb>", lower case
	Summary string // one sentence for roles, the API document and the reference page
	Guard   Guard
	Reason  string // why a public operation is public
	Writes  bool   // runs in a transaction and leaves an audit record
	Records bool   // a read that leaves an audit record too
	Long    bool   // a read whose record comes first, and which holds no transaction
	Quiet   string // why background work leaves no record of its own
	Lasting bool   // background work that goes on in a tenant that is suspended or deleted
	Kind    string // what sort of thing it acts on: "user"
	// OwnerToo lets who owns the thing act on it, held or not. The body says
	// whose it is by uow.Trail.OwnedBy; one that does not lets only holders in.
	OwnerToo bool
	owned    string // what OwnerToo asks the owner of, where that is not of Kind
	AnyKey   bool   // of what is open to everybody signed in: to every API key, too
	target   uow.Target
}

// Option refines a declaration.
type Option func(*Def)

// SignedIn opens an operation to everybody with a session, for acting on
// their own account.
func SignedIn(d *Def) { d.Guard = BySession }

// SignedInOrKey is SignedIn for what tells callers about themselves and
// nothing else: it is also open to every API key, whatever its scope.
func SignedInOrKey(d *Def) { d.Guard, d.AnyKey = BySession, true }

// Landlord restricts an operation to the operator's tenant: a role anywhere
// else can not hold it.
func Landlord(d *Def) { d.Guard = ByLandlord }

// OwnerToo opens an operation also to who owns the thing it acts on.
func OwnerToo(d *Def) { d.OwnerToo = true }

// OwnerOf is OwnerToo for what belongs to something else: it opens an
// operation also to who owns that, which is of this kind.
func OwnerOf(kind string) Option {
	return func(d *Def) { d.OwnerToo, d.owned = true, kind }
}

// Owned is what sort of thing OwnerToo asks the owner of.
func (d Def) Owned() string { return cmp.Or(d.owned, d.Kind) }

// Recorded makes a read leave an audit record.
func Recorded(d *Def) { d.Records = true }

// Long is for reads that take as long as their reader: an export, a check of
// everything. Their record is written before they begin, so that it is there
// however they end, and their body reads statement by statement without a
// transaction around them. One that fails leaves a second record.
func Long(d *Def) { d.Long = true }

// Quiet lets background work leave no record, and says why: what it writes
// must be evidence by itself. Its failures go to the log.
func Quiet(why string) Option {
	return func(d *Def) { d.Quiet = why }
}

// Lasting is for background work that makes evidence: it goes on in a tenant
// that is suspended or deleted, whose refusals are recorded too.
func Lasting(d *Def) { d.Lasting = true }

// Reading is for background work that changes nothing.
func Reading(d *Def) { d.Writes = false }

// Public opens an operation to everybody and says why.
func Public(why string) Option {
	return func(d *Def) { d.Guard, d.Reason = ByNobody, why }
}

// About names the sort of thing an operation acts on, for the trail.
func About(kind string) Option {
	return func(d *Def) { d.Kind = kind }
}

var nameRule = regexp.MustCompile(`^[a-z]+(\.[a-z][a-z_]*){1,2}$`)

func declare(name, summary string, writes bool, opts []Option) Def {
	if !nameRule.MatchString(name) || !strings.HasSuffix(summary, ".") {
		panic(fmt.Sprintf("op: %q (%q): a name is <module>.<verb>, a summary is a sentence", name, summary))
	}
	d := Def{Name: name, Summary: summary, Writes: writes}
	for _, o := range opts {
		o(&d)
	}
	if d.Guard == ByNobody && d.Reason == "" {
		panic(fmt.Sprintf("op: %s is public without a reason", name))
	}
	if d.Quiet != "" && d.Guard != ByJob {
		panic(fmt.Sprintf("op: %s is quiet, and not background work", name))
	}
	if d.Lasting && d.Quiet == "" {
		panic(fmt.Sprintf("op: %s goes on in a suspended tenant, and is no evidence", name))
	}
	if d.OwnerToo && (d.Guard != ByPermission || d.Long) {
		panic(fmt.Sprintf("op: %s is open to owners of a thing, but not by a permission or not in a transaction", name))
	}
	return d
}

// Read declares an operation that changes nothing.
func Read(name, summary string, opts ...Option) Def { return declare(name, summary, false, opts) }

// Write declares an operation that changes something and is always recorded.
func Write(name, summary string, opts ...Option) Def { return declare(name, summary, true, opts) }

// Job declares background work: no role holds it and no route leads to it.
func Job(name, summary string, opts ...Option) Def {
	byJob := func(d *Def) { d.Guard = ByJob }
	return declare(name, summary, true, append([]Option{byJob}, opts...))
}

// Question stands for a permission that is no operation, so that the decision
// maker can be asked about it. Nothing can be run by it: it is in no registry.
func Question(permission string, ownerToo bool) Def {
	return Def{Name: permission, OwnerToo: ownerToo}
}

// Module is the module that declares the operation; none for the zero Def.
func (d Def) Module() string {
	module, _, _ := strings.Cut(d.Name, ".")
	return module
}

// On returns the operation aimed at one thing, so that also its refusal and
// its failure are recorded with a target.
func (d Def) On(id string) Def {
	d.target = uow.Target{Kind: d.Kind, ID: id}
	return d
}

// Grantable reports whether a role can hold the operation.
func (d Def) Grantable() bool { return d.Guard == ByPermission || d.Guard == ByLandlord }
