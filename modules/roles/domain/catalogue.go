package domain

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/insulahq/insula/platform/perm"
)

// Operation is what matters to a role about an operation that it can hold.
type Operation struct {
	Name     string
	Module   string // the module that declares it
	Changes  bool   // false for reads, recorded ones too
	Landlord bool   // takes effect in the operator's tenant only
}

// Catalogue is all that roles of every tenant can be made of: the grantable
// operations compiled into the binary, and the product's own permissions from
// the configuration. It does not change while the process lives.
type Catalogue struct {
	operations map[string]Operation
	modules    map[string]bool // of all operations, also of those that no role holds
	product    []Custom
	customer   vocabulary
	landlord   vocabulary
}

// vocabulary is what exists in a kind of tenant: operations, then the
// product's permissions.
type vocabulary struct {
	names *perm.Names
	known int // how many of names are operations
}

// NewCatalogue makes the catalogue of the operations that a role can hold and
// of the product's own permissions. Modules are the first parts of names that
// belong to the binary: no other permission may begin with one.
func NewCatalogue(grantable []Operation, modules []string, product []Custom) (*Catalogue, error) {
	c := &Catalogue{operations: map[string]Operation{}, modules: map[string]bool{}, product: product}
	for _, m := range modules {
		c.modules[m] = true
	}
	sorted := slices.SortedFunc(slices.Values(grantable), func(a, b Operation) int { return cmp.Compare(a.Name, b.Name) })
	var everywhere, all []string
	for _, o := range sorted {
		c.operations[o.Name] = o
		c.modules[o.Module] = true
		all = append(all, o.Name)
		if !o.Landlord {
			everywhere = append(everywhere, o.Name)
		}
	}
	var own []string
	for _, p := range product {
		if err := c.Acceptable(p); err != nil {
			return nil, fmt.Errorf("the product's permission %q: %w", p.Name, err)
		}
		own = append(own, p.Name)
	}
	c.customer, c.landlord = newVocabulary(everywhere, own), newVocabulary(all, own)
	return c, nil
}

func newVocabulary(operations, product []string) vocabulary {
	names := perm.NewNames(operations)
	return vocabulary{names: names.Extend(product), known: names.Len()}
}

func (c *Catalogue) vocabulary(landlord bool) vocabulary {
	if landlord {
		return c.landlord
	}
	return c.customer
}
