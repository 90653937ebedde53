-- Who may do what with the schema with the oid $1 and what is in it, and what the role of the same name may do in
-- the rest of the database, as (kind, name, definition). What an owner may do anyway is left out; a right that can
-- be passed on has a star. What is in the schema is found as catalog.sql finds it.
WITH home AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl, r.oid AS role
    FROM pg_namespace n LEFT JOIN pg_roles r ON r.rolname = n.nspname
    WHERE n.oid = $1
),
own AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = $1
),
rel AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relowner, c.relacl
    FROM pg_class c WHERE c.oid = ANY (ARRAY(SELECT objid FROM own WHERE classid = 'pg_class'::regclass))
),
elsewhere AS (
    SELECT d.classid, d.objid
    FROM home h JOIN pg_shdepend d ON d.refclassid = 'pg_authid'::regclass AND d.refobjid = h.role AND d.deptype = 'a'
    WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
),
acl AS (
    SELECT 'schema' AS name, h.nspowner AS owner, h.nspacl AS acl, false AS mine FROM home h
    UNION ALL
    SELECT quote_ident(c.relname), c.relowner, c.relacl, false
    FROM rel c
    UNION ALL
    SELECT quote_ident(c.relname) || '.' || quote_ident(a.attname), c.relowner, a.attacl, false
    FROM pg_attribute a JOIN rel c ON c.oid = a.attrelid
    WHERE a.attrelid = ANY (ARRAY(SELECT oid FROM rel)) AND a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')', p.proowner,
           coalesce(p.proacl, acldefault('f', p.proowner)), false
    FROM pg_proc p WHERE p.oid = ANY (ARRAY(SELECT objid FROM own WHERE classid = 'pg_proc'::regclass))
    UNION ALL
    SELECT 'schema ' || quote_ident(n.nspname), n.nspowner, n.nspacl, true
    FROM elsewhere e JOIN pg_namespace n ON e.classid = 'pg_namespace'::regclass AND n.oid = e.objid
    WHERE n.oid <> $1
    UNION ALL
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relowner, c.relacl, true
    FROM elsewhere e
    JOIN pg_class c ON e.classid = 'pg_class'::regclass AND c.oid = e.objid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.oid <> $1
    UNION ALL
    SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname), p.proowner, p.proacl, true
    FROM elsewhere e
    JOIN pg_proc p ON e.classid = 'pg_proc'::regclass AND p.oid = e.objid
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.oid <> $1
)
SELECT 'grant', acl.name || ' to ' || CASE x.grantee WHEN 0 THEN 'public' WHEN h.role THEN 'the tenant' ELSE x.grantee::regrole::text END,
       string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ', ' ORDER BY x.privilege_type)
FROM home h, acl, aclexplode(acl.acl) x
WHERE x.grantee <> acl.owner AND (NOT acl.mine OR x.grantee = h.role)
GROUP BY acl.name, x.grantee, h.role

UNION ALL
SELECT 'role', 'the tenant',
       concat_ws(' ', CASE WHEN r.rolcanlogin THEN 'login' ELSE 'nologin' END, CASE WHEN r.rolsuper THEN 'superuser' END,
           CASE WHEN r.rolcreaterole THEN 'createrole' END, CASE WHEN r.rolcreatedb THEN 'createdb' END,
           CASE WHEN r.rolbypassrls THEN 'bypassrls' END, CASE WHEN r.rolreplication THEN 'replication' END)
FROM home h JOIN pg_roles r ON r.oid = h.role

UNION ALL
SELECT 'member', m.member::regrole::text || ' of the tenant', CASE WHEN bool_or(m.admin_option) THEN 'admin' ELSE '' END
FROM home h JOIN pg_auth_members m ON m.roleid = h.role
WHERE m.member <> h.nspowner
GROUP BY m.member

UNION ALL
SELECT 'member', 'the tenant of ' || m.roleid::regrole::text, ''
FROM home h JOIN pg_auth_members m ON m.member = h.role
GROUP BY m.roleid
