-- The tables of a schema, whether rows may only be added to them, whether retention may remove some, and what
-- the role $2 may do there: the names of its rights in alphabetical order.
SELECT c.relname,
       coalesce(obj_description(c.oid, 'pg_class'), '') LIKE 'append-only%' AS append_only,
       coalesce(obj_description(c.oid, 'pg_class'), '') LIKE 'append-only, removable%' AS removable,
       coalesce((SELECT string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
                 FROM aclexplode(c.relacl) a JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
                 WHERE r.rolname = $2), '') AS rights
FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname <> 'atlas_schema_revisions'
  -- pg_class has no index by schema, and grows with every tenant. What is in a schema depends on it.
  AND c.oid = ANY (ARRAY(SELECT d.objid FROM pg_catalog.pg_depend d
                         WHERE d.refclassid = 'pg_namespace'::regclass
                           AND d.refobjid = (SELECT s.oid FROM pg_catalog.pg_namespace s WHERE s.nspname = $1)
                           AND d.classid = 'pg_class'::regclass))
ORDER BY c.relname
