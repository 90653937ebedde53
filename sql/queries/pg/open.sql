-- name: OpenRead :one
-- Walls the transaction into a tenant for reading: schema, role and status
-- come from the control table in one statement. No row means not served.
SELECT set_config('search_path', t.schema_name, true) AS schema,
       set_config('role', t.schema_name, true) AS role,
       set_config('transaction_read_only', 'on', true) AS read_only
FROM control.tenants t
WHERE t.id = @tenant_id AND t.status = 'active';

-- name: OpenWrite :one
-- Walls the transaction into a tenant for writing.
SELECT set_config('search_path', t.schema_name, true) AS schema,
       set_config('role', t.schema_name, true) AS role
FROM control.tenants t
WHERE t.id = @tenant_id AND t.status = 'active';

-- name: OpenRecord :one
-- Walls the transaction into a tenant for the record of a refusal, which a
-- suspended tenant keeps too.
SELECT set_config('search_path', t.schema_name, true) AS schema,
       set_config('role', t.schema_name, true) AS role
FROM control.tenants t
WHERE t.id = @tenant_id AND t.status IN ('active', 'suspended');

-- name: TenantStatus :one
-- Tells why a tenant did not open.
SELECT t.status FROM control.tenants t WHERE t.id = @tenant_id;

-- name: TakeRole :exec
-- Takes on another role for the rest of the transaction; the schema stays.
SELECT set_config('role', @role::text, true);

-- name: TakeTenantRole :exec
-- Goes back to the role of the tenant, which has the name of its schema.
SELECT set_config('role', current_setting('search_path'), true);
