-- Every object of the schema with the oid $1 as (kind, name, definition). Runs with an empty search path, so that every name
-- outside pg_catalog is printed with its schema. What belongs to an extension is the extension's business.
WITH own AS MATERIALIZED (
    -- The catalogs have no index by schema, and with thousands of schemas reading them whole takes most of a second.
    -- What is in a schema depends on it; that has an index.
    SELECT d.classid, d.objid FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = $1
),
rel AS (
    SELECT c.*, quote_ident(c.relname) AS name
    FROM pg_class c
    WHERE c.oid = ANY (ARRAY(SELECT objid FROM own WHERE classid = 'pg_class'::regclass
                             UNION ALL
                             SELECT i.indexrelid FROM own JOIN pg_index i ON i.indrelid = own.objid
                             WHERE own.classid = 'pg_class'::regclass))
      AND c.relname NOT IN ('atlas_schema_revisions', 'atlas_schema_revisions_pkey')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
),
fn AS (
    SELECT p.*, quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name
    FROM pg_proc p
    WHERE p.oid = ANY (ARRAY(SELECT objid FROM own WHERE classid = 'pg_proc'::regclass))
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
),
typ AS (
    SELECT t.*, quote_ident(t.typname) AS name
    FROM pg_type t
    WHERE t.oid = ANY (ARRAY(SELECT objid FROM own WHERE classid = 'pg_type'::regclass))
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
),
stat AS (
    SELECT s.oid, quote_ident(s.stxname) AS name, pg_get_statisticsobjdef(s.oid) AS definition
    FROM pg_statistic_ext s
    WHERE s.stxnamespace = $1
),
con AS (
    SELECT k.*, r.name || '.' || quote_ident(k.conname) AS name
    FROM pg_constraint k JOIN rel r ON r.oid = k.conrelid
    WHERE k.contype <> 'n' -- NOT NULL is told with the column
),
object AS (
    SELECT CASE r.relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind, r.name AS name,
           concat_ws(' ',
               CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
               'partition by ' || pg_get_partkeydef(r.oid),
               (SELECT string_agg('inherits ' || i.inhparent::regclass, ' ' ORDER BY i.inhseqno)
                FROM pg_inherits i WHERE i.inhrelid = r.oid),
               pg_get_expr(r.relpartbound, r.oid),
               CASE WHEN r.relrowsecurity THEN 'row security' END,
               CASE WHEN r.relforcerowsecurity THEN 'forced' END,
               CASE WHEN r.relreplident <> 'd' THEN 'replica identity ' || r.relreplident::text END,
               'with (' || array_to_string(r.reloptions, ', ') || ')') AS definition
    FROM rel r WHERE r.relkind IN ('r', 'p', 'f')

    UNION ALL
    SELECT 'column', r.name || '.' || quote_ident(a.attname),
           concat_ws(' ',
               format_type(a.atttypid, a.atttypmod),
               CASE WHEN a.attnotnull THEN 'not null' END,
               CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || a.attcollation::regcollation END,
               CASE a.attgenerated WHEN '' THEN 'default ' WHEN 's' THEN 'generated stored ' ELSE 'generated ' END
                   || pg_get_expr(d.adbin, d.adrelid),
               CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
               CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END,
               'compression ' || nullif(a.attcompression::text, ''),
               'statistics ' || nullif(a.attstattarget, -1),
               'with (' || array_to_string(a.attoptions, ', ') || ')')
    FROM rel r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p', 'f')

    UNION ALL
    SELECT 'constraint', k.name,
           concat_ws(' ', pg_get_constraintdef(k.oid), CASE WHEN NOT k.conislocal THEN 'inherited' END)
    FROM con k

    UNION ALL
    SELECT 'index', r.name,
           concat_ws(' ', pg_get_indexdef(r.oid),
               CASE WHEN NOT i.indisvalid THEN 'invalid' END,
               CASE WHEN i.indisclustered THEN 'clustered' END,
               CASE WHEN i.indisreplident THEN 'replica identity' END)
    FROM rel r JOIN pg_index i ON i.indexrelid = r.oid

    UNION ALL
    SELECT CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, r.name,
           concat_ws(' ', 'with (' || array_to_string(r.reloptions, ', ') || ')', pg_get_viewdef(r.oid))
    FROM rel r WHERE r.relkind IN ('v', 'm')

    UNION ALL
    SELECT 'sequence', r.name,
           concat_ws(' ', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement,
               'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END,
               (SELECT 'owned by ' || d.refobjid::regclass || '.' || quote_ident(a.attname)
                FROM pg_depend d
                JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refobjsubid > 0
                  AND d.deptype IN ('a', 'i')))
    FROM rel r JOIN pg_sequence s ON s.seqrelid = r.oid

    UNION ALL
    SELECT 'trigger', r.name || '.' || quote_ident(t.tgname),
           concat_ws(' ', pg_get_triggerdef(t.oid), CASE WHEN t.tgenabled <> 'O' THEN 'enabled ' || t.tgenabled::text END)
    FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal

    UNION ALL
    SELECT 'rule', r.name || '.' || quote_ident(w.rulename), pg_get_ruledef(w.oid)
    FROM rel r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'

    UNION ALL
    SELECT 'policy', r.name || '.' || quote_ident(p.polname),
           concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
               CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
                             WHEN 'd' THEN 'delete' ELSE 'all' END,
               'to ' || (SELECT string_agg(CASE o WHEN 0 THEN 'public' ELSE o::regrole::text END, ', '
                                   ORDER BY CASE o WHEN 0 THEN 'public' ELSE o::regrole::text END)
                         FROM unnest(p.polroles) o),
               'using ' || pg_get_expr(p.polqual, p.polrelid),
               'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
    FROM rel r JOIN pg_policy p ON p.polrelid = r.oid

    UNION ALL
    SELECT 'statistics', s.name, s.definition FROM stat s

    UNION ALL
    SELECT 'function', f.name,
           CASE WHEN f.prokind IN ('f', 'p') THEN pg_get_functiondef(f.oid)
                ELSE 'aggregate ' || pg_get_function_result(f.oid) || ' '
                     || (SELECT concat_ws(' ', a.aggtransfn, a.aggfinalfn, a.agginitval)
                         FROM pg_aggregate a WHERE a.aggfnoid = f.oid) END
    FROM fn f

    UNION ALL
    SELECT 'type', t.name,
           CASE t.typtype
               WHEN 'e' THEN 'enum (' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                                          FROM pg_enum e WHERE e.enumtypid = t.oid) || ')'
               WHEN 'd' THEN concat_ws(' ', 'domain', format_type(t.typbasetype, t.typtypmod),
                   CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
                   (SELECT string_agg(quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname)
                    FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype <> 'n'))
               WHEN 'r' THEN (SELECT 'range ' || format_type(g.rngsubtype, NULL) FROM pg_range g WHERE g.rngtypid = t.oid)
               ELSE (SELECT 'composite (' || string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod),
                                                        ', ' ORDER BY a.attnum) || ')'
                     FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
           END
    FROM typ t
    WHERE t.typtype IN ('e', 'd', 'r')
       OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))

    UNION ALL
    SELECT 'comment', x.what, quote_literal(x.text)
    FROM (
        SELECT r.name || coalesce('.' || quote_ident(a.attname), '') AS what, d.description AS text
        FROM pg_description d
        JOIN rel r ON d.classoid = 'pg_class'::regclass AND d.objoid = r.oid
        LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid > 0
        UNION ALL
        SELECT 'constraint ' || k.name, d.description
        FROM pg_description d JOIN con k ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid
        UNION ALL
        SELECT f.name, d.description
        FROM pg_description d JOIN fn f ON d.classoid = 'pg_proc'::regclass AND d.objoid = f.oid
        UNION ALL
        SELECT 'type ' || t.name, d.description
        FROM pg_description d JOIN typ t ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid
        UNION ALL
        SELECT 'statistics ' || s.name, d.description
        FROM pg_description d JOIN stat s ON d.classoid = 'pg_statistic_ext'::regclass AND d.objoid = s.oid
        UNION ALL
        SELECT 'policy ' || r.name || '.' || quote_ident(p.polname), d.description
        FROM pg_description d
        JOIN pg_policy p ON d.classoid = 'pg_policy'::regclass AND d.objoid = p.oid
        JOIN rel r ON r.oid = p.polrelid
        UNION ALL
        SELECT 'trigger ' || r.name || '.' || quote_ident(t.tgname), d.description
        FROM pg_description d
        JOIN pg_trigger t ON d.classoid = 'pg_trigger'::regclass AND d.objoid = t.oid
        JOIN rel r ON r.oid = t.tgrelid
    ) x
)
SELECT kind, name, definition FROM object
