// Package catalog describes a PostgreSQL schema as a list of its objects, for telling whether two schemas are
// the same.
//
// Tools that plan migrations see only part of a schema: tables and what hangs on them, but not policies,
// functions, triggers or statistics. The catalog of the database knows all of it, in a form that no longer
// depends on how the schema came about. Two uses follow: the declared schema and the replayed migrations must
// give the same catalog, and so must a freshly migrated tenant and one that has lived for years.
//
// Left out on purpose: owners; privileges, which provisioning sets and which Rights lists; the order of columns,
// which a migration cannot change; and the history of migrations. Definitions are printed by PostgreSQL, so
// catalogs compare only between servers of one major version.
package catalog
