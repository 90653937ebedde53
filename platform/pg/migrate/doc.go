// Package migrate brings a PostgreSQL schema to the newest version of a directory of migration files.
//
// The directory has the format of Atlas: `<version>_<name>.sql` files beside an `atlas.sum` that pins each of
// them, and the history of a schema is kept in the schema itself, in the table atlas_schema_revisions. The
// official `atlas migrate status` reads that table and agrees with what it says.
//
// There is a runner of our own because a fleet of tenants needs what the command line tool does not give: one
// transaction per tenant that its caller owns, so that creating a tenant and migrating it happen together or
// not at all; a lock per schema rather than per database; and no look at the rest of the database, which holds
// thousands of other schemas.
package migrate
