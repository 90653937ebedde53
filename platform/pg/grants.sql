-- The tables of a schema, whether rows may only be added to them, and whether retention may remove some.
SELECT c.relname,
       coalesce(obj_description(c.oid, 'pg_class'), '') LIKE 'append-only%' AS append_only,
       coalesce(obj_description(c.oid, 'pg_class'), '') LIKE 'append-only, removable%' AS removable
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname <> 'atlas_schema_revisions'
ORDER BY c.relname
