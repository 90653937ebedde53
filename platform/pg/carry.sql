-- The tables of a schema that hold a tenant's rows, what their comments say, their columns in order with those that
-- name a transaction and a database server ('' for none), the columns of the primary key, the tables that their foreign
-- keys lead to, and their size in bytes.
SELECT c.relname AS name,
       coalesce(obj_description(c.oid, 'pg_class'), '') AS comment,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
             ORDER BY a.attnum) AS columns,
       coalesce((SELECT min(a.attname::text) FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND col_description(c.oid, a.attnum) LIKE 'transaction:%'), '') AS transaction_column,
       coalesce((SELECT min(a.attname::text) FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND col_description(c.oid, a.attnum) LIKE 'server:%'), '') AS server_column,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, place), pg_catalog.pg_attribute a
             WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum
             ORDER BY k.place) AS primary_key,
       ARRAY(SELECT DISTINCT p.relname::text FROM pg_catalog.pg_constraint k
             JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
             WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> k.conrelid
             ORDER BY 1) AS parents,
       pg_table_size(c.oid) AS bytes
FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname <> 'atlas_schema_revisions'
  -- pg_class has no index by schema, and grows with every tenant. What is in a schema depends on it.
  AND c.oid = ANY (ARRAY(SELECT d.objid FROM pg_catalog.pg_depend d
                         WHERE d.refclassid = 'pg_namespace'::regclass
                           AND d.refobjid = (SELECT s.oid FROM pg_catalog.pg_namespace s WHERE s.nspname = $1)
                           AND d.classid = 'pg_class'::regclass))
ORDER BY c.relname
