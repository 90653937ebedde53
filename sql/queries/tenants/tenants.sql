-- name: InsertTenant :exec
INSERT INTO control.tenants (id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, placement)
VALUES (@id, @slug, @name, @kind, @status, @schema_name, @admin_email, @version, @created_at, @updated_at, @placement);

-- name: GetTenant :one
SELECT id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement
FROM control.tenants WHERE id = @id;

-- name: GetTenantBySlug :one
SELECT id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement
FROM control.tenants WHERE slug = @slug;

-- name: LockTenant :one
SELECT id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement
FROM control.tenants WHERE id = @id FOR UPDATE;

-- name: ListTenants :many
SELECT id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement
FROM control.tenants
WHERE (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
  AND (sqlc.narg('status')::text IS NULL OR status = sqlc.narg('status')::text)
ORDER BY created_at DESC, id DESC
LIMIT @max_items;

-- name: UpdateTenant :execrows
UPDATE control.tenants
SET name = @name, status = @status, version = version + 1, updated_at = @updated_at
WHERE id = @id AND version = @version;

-- name: SetTenantStatus :exec
UPDATE control.tenants SET status = @status, version = version + 1, updated_at = @updated_at WHERE id = @id;

-- name: UnfinishedTenants :many
-- Tenants whose creation began before an instant and has not ended. One that is made as a copy is not created so.
-- The partial index of those that are being provisioned is a short one, so that a scan of the whole index is the plan.
-- @sqlc-vet-disable no-full-index-scan
SELECT t.id FROM control.tenants t
WHERE t.status = 'provisioning' AND t.created_at < @before
  AND NOT EXISTS (SELECT FROM control.copies c WHERE c.target_id = t.id AND c.step <> 'over' AND c.kind <> 'backup')
UNION
SELECT o.tenant_id FROM control.operations o
WHERE o.status = 'running' AND o.kind = 'tenants.create' AND o.created_at < @before;

-- name: TenantUnfinished :one
-- Whether the creation of one tenant has not ended.
SELECT (EXISTS (SELECT FROM control.tenants t WHERE t.id = @id AND t.status = 'provisioning')
     OR EXISTS (SELECT FROM control.operations o
                WHERE o.tenant_id = @id AND o.kind = 'tenants.create' AND o.status = 'running'))::boolean AS unfinished;

-- name: FoundTenant :execrows
-- Brings a tenant to life that was made as a copy, with the schema that was made for it.
UPDATE control.tenants
SET status = 'active', schema_name = @schema_name, schema_version = @schema_version, version = version + 1, updated_at = @updated_at
WHERE id = @id AND status = 'provisioning';

-- name: ReplaceSchema :execrows
-- Puts another schema in the place of the one that a tenant has.
UPDATE control.tenants
SET schema_name = @schema_name, schema_version = @schema_version, version = version + 1, updated_at = @updated_at
WHERE id = @id AND schema_name = @old_schema AND status IN ('active', 'suspended');

-- name: ForgetTenant :exec
-- Takes back the registration of a tenant that never came to life.
DELETE FROM control.tenants WHERE id = @id AND status = 'provisioning';

-- name: ServedSchemas :many
-- All tenants that are served, for what is done to each of them: nearly every row is wanted, once per start.
-- @sqlc-vet-disable no-full-index-scan
SELECT id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement
FROM control.tenants WHERE status IN ('active', 'suspended') ORDER BY id;

-- name: LandlordTenant :one
-- The operator's tenant. Its partial index holds this one row, so that a scan of the whole index is the plan.
-- @sqlc-vet-disable no-full-index-scan
SELECT id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement
FROM control.tenants WHERE kind = 'operator';
