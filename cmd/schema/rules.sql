-- What breaks a rule in the schema named $1, one sentence each.
WITH rel AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1
),
con AS (
    SELECT k.*, r.relname FROM pg_constraint k JOIN rel r ON r.oid = k.conrelid WHERE k.contype <> 'n'
)
SELECT 'table ' || relname || ' has no primary key'
FROM rel
WHERE relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM con WHERE con.conrelid = rel.oid AND con.contype = 'p')

UNION ALL
SELECT 'table ' || r.relname || ' has a trigger, ' || t.tgname || ': set the column in the statement instead'
FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid
WHERE NOT t.tgisinternal

UNION ALL
SELECT 'table ' || r.relname || ' has a rule, ' || w.rulename
FROM pg_rewrite w JOIN rel r ON r.oid = w.ev_class
WHERE w.rulename <> '_RETURN'

UNION ALL
SELECT 'table ' || r.relname || ' inherits; only partitions may'
FROM pg_inherits i JOIN rel r ON r.oid = i.inhrelid
WHERE r.relkind = 'r' AND NOT r.relispartition

UNION ALL
SELECT 'there is a sequence, ' || relname || ': keys are made by the program'
FROM rel
WHERE relkind = 'S'

UNION ALL
SELECT 'foreign key ' || con.conname || ' leaves the schema'
FROM con JOIN pg_class target ON target.oid = con.confrelid
WHERE con.contype = 'f' AND target.relnamespace <> con.connamespace

UNION ALL
SELECT 'constraint ' || conname || ' has a name of more than 50 characters'
FROM con
WHERE length(conname) > 50

UNION ALL
SELECT 'index ' || relname || ' has a name of more than 50 characters'
FROM rel
WHERE relkind IN ('i', 'I') AND length(relname) > 50
  AND NOT EXISTS (SELECT FROM con WHERE con.conindid = rel.oid)

UNION ALL
SELECT 'constraint name ' || conname || ' is used by ' || string_agg(relname, ', ' ORDER BY relname)
FROM con
WHERE conislocal
GROUP BY conname
HAVING count(*) > 1
ORDER BY 1
