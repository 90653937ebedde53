package pg

// Roles says in which database role the units of work of a tenant run.
type Roles int

const (
	// RolePerTenant gives each tenant a role of its own, which its units of work
	// take on: a second wall, behind which a wrong search_path shows nothing.
	RolePerTenant Roles = iota
	// OneRole lets the application's role work in every schema, so that the
	// search_path alone stands between tenants. It is for Citus, which opens
	// connections between its servers in the name of each role.
	OneRole
)

// of is the role that has the rights in a tenant's schema.
func (r Roles) of(schema string) string {
	if r == OneRole {
		return AppRole
	}
	return schema
}
