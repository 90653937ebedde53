package main

// kindOperator is the kind of the tenant that manages the others.
const kindOperator = "operator"

// demoSlugs are the two ordinary tenants of the demo.
var demoSlugs = []string{"acme", "globex"}

// demoTenant is one tenant of the demo.
type demoTenant struct {
	login
	name, kind string
	users      []demoUser
	file       string // the content of one small text file; empty for none
}

type demoUser struct {
	Email string   `json:"email"`
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
}

// demoFor lists the demo. Both tenants have a user of the same address, because
// that two walled tenants may is the point.
func demoFor(known secrets) []demoTenant {
	member := []string{"member"}
	return []demoTenant{
		{login: login{"operator", "admin@insula.example", known[secretOperator]}, name: "Insula", kind: kindOperator},
		{
			login: login{"acme", "admin@acme.example", known[secretAcme]}, name: "Acme",
			users: []demoUser{
				{"ada@acme.example", "Ada Byron", member},
				{"emil@acme.example", "Emil Berliner", member},
				{"sam@shared.example", "Sam Shared", member},
			},
			file: "Acme's opening hours: from nine to five, Wile E. excepted.\n",
		},
		{
			login: login{"globex", "admin@globex.example", known[secretGlobex]}, name: "Globex",
			users: []demoUser{
				{"grace@globex.example", "Grace Murray", member},
				{"sam@shared.example", "Sam Shared", member},
			},
			file: "Globex keeps its volcano tidy.\n",
		},
	}
}
