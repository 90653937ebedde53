-- The tables of a schema that have rows of their own, with their size in bytes and how many relations a DROP of each
-- has to lock: itself, its indexes, and what it keeps long values in.
SELECT c.relname,
       pg_catalog.pg_total_relation_size(c.oid) AS bytes,
       1 + (SELECT count(*) FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid)
         + CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE 2 END AS relations
FROM pg_catalog.pg_class c
WHERE c.relkind = 'r'
  -- pg_class has no index by schema, and grows with every tenant. What is in a schema depends on it.
  AND c.oid = ANY (ARRAY(SELECT d.objid FROM pg_catalog.pg_depend d
                         WHERE d.refclassid = 'pg_namespace'::regclass
                           AND d.refobjid = (SELECT s.oid FROM pg_catalog.pg_namespace s WHERE s.nspname = $1)
                           AND d.classid = 'pg_class'::regclass))
ORDER BY c.relname
