-- name: OpenRead :one
-- Walls the transaction into a tenant for reading: schema, role (where each tenant has one), status
-- and the version of the schema come from the control table in one statement.
-- No row means not served here: not at all, or in another database. Below the floor is a schema that this binary does
-- not know how to use.
SELECT set_config('search_path', t.schema_name, true) AS schema,
       set_config('role', CASE WHEN @own_role::boolean THEN t.schema_name ELSE 'none' END, true) AS role,
       set_config('transaction_read_only', 'on', true) AS read_only,
       set_config('statement_timeout', @statement_timeout::text, true) AS statement_timeout,
       set_config('lock_timeout', @lock_timeout::text, true) AS lock_timeout
FROM control.tenants t
WHERE t.id = @tenant_id AND t.status = 'active' AND t.schema_version >= @floor AND t.placement = @placement;

-- name: OpenUnlimited :one
-- Walls the transaction into a tenant for reading as OpenRead does, but leaves the times alone: for the many tenants
-- whose statements have no limit of their own.
SELECT set_config('search_path', t.schema_name, true) AS schema,
       set_config('role', CASE WHEN @own_role::boolean THEN t.schema_name ELSE 'none' END, true) AS role,
       set_config('transaction_read_only', 'on', true) AS read_only
FROM control.tenants t
WHERE t.id = @tenant_id AND t.status = 'active' AND t.schema_version >= @floor AND t.placement = @placement;

-- name: OpenList :one
-- Walls the transaction into a tenant for reading rows by filters that vary. The connection makes one plan for all
-- values, which suits keys; here the server may plan for the values it gets.
SELECT set_config('search_path', t.schema_name, true) AS schema,
       set_config('role', CASE WHEN @own_role::boolean THEN t.schema_name ELSE 'none' END, true) AS role,
       set_config('transaction_read_only', 'on', true) AS read_only,
       set_config('plan_cache_mode', 'auto', true) AS plans,
       set_config('statement_timeout', @statement_timeout::text, true) AS statement_timeout,
       set_config('lock_timeout', @lock_timeout::text, true) AS lock_timeout
FROM control.tenants t
WHERE t.id = @tenant_id AND t.status = 'active' AND t.schema_version >= @floor AND t.placement = @placement;

-- name: OpenLook :one
-- Walls the transaction into a tenant for reading what a suspended or deleted
-- one shows too, to the operator and to those who keep evidence of it.
SELECT set_config('search_path', t.schema_name, true) AS schema,
       set_config('role', CASE WHEN @own_role::boolean THEN t.schema_name ELSE 'none' END, true) AS role,
       set_config('transaction_read_only', 'on', true) AS read_only,
       set_config('plan_cache_mode', 'auto', true) AS plans,
       set_config('statement_timeout', @statement_timeout::text, true) AS statement_timeout,
       set_config('lock_timeout', @lock_timeout::text, true) AS lock_timeout
FROM control.tenants t
WHERE t.id = @tenant_id AND t.status IN ('active', 'suspended', 'deleting') AND t.schema_version >= @floor AND t.placement = @placement;

-- name: OpenWrite :one
-- Walls the transaction into a tenant for writing. While a move takes its last step nobody is let in who would only
-- wait for it with a connection.
SELECT set_config('search_path', t.schema_name, true) AS schema,
       set_config('role', CASE WHEN @own_role::boolean THEN t.schema_name ELSE 'none' END, true) AS role,
       set_config('statement_timeout', @statement_timeout::text, true) AS statement_timeout,
       set_config('lock_timeout', @lock_timeout::text, true) AS lock_timeout
FROM control.tenants t
WHERE t.id = @tenant_id AND t.status = 'active' AND t.schema_version >= @floor AND t.placement = @placement
  AND NOT EXISTS (SELECT FROM control.moving m WHERE m.tenant_id = t.id AND m.writers_wait > now());

-- name: OpenRecord :one
-- Walls the transaction into a tenant for a record, of a refusal or of what
-- the operator did, which a suspended or deleted tenant keeps too.
SELECT set_config('search_path', t.schema_name, true) AS schema,
       set_config('role', CASE WHEN @own_role::boolean THEN t.schema_name ELSE 'none' END, true) AS role,
       set_config('statement_timeout', @statement_timeout::text, true) AS statement_timeout,
       set_config('lock_timeout', @lock_timeout::text, true) AS lock_timeout
FROM control.tenants t
WHERE t.id = @tenant_id AND t.status IN ('active', 'suspended', 'deleting') AND t.schema_version >= @floor AND t.placement = @placement
  AND NOT EXISTS (SELECT FROM control.moving m WHERE m.tenant_id = t.id AND m.writers_wait > now());

-- name: TenantStatus :one
-- Tells why a tenant did not open, and where it is.
SELECT t.status, t.schema_version, t.placement FROM control.tenants t WHERE t.id = @tenant_id;

-- name: TakeRole :exec
-- Takes on another role for the rest of the transaction; the schema stays.
SELECT set_config('role', @role::text, true);

-- name: TakeTenantRole :exec
-- Goes back to the role of the tenant, which has the name of its schema.
SELECT set_config('role', current_setting('search_path'), true);

-- name: KeepOrder :exec
SELECT set_config('enable_bitmapscan', 'off', true);
