-- name: PutMirrored :exec
-- Keeps the entry of a tenant in the registry of the placement that houses it. Where its rows are, and of which version
-- they are, changes there and in the same transaction as the rows, so an entry that is there keeps that.
INSERT INTO control.tenants (id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement)
VALUES (@id, @slug, @name, @kind, @status, @schema_name, @admin_email, @version, @created_at, @updated_at, @schema_version, @placement)
ON CONFLICT (id) DO UPDATE
SET slug = excluded.slug, name = excluded.name, status = excluded.status, version = excluded.version, updated_at = excluded.updated_at;

-- name: HousedTenants :many
-- The tenants of one placement, as a registry has them.
SELECT id, slug, name, status, version, schema_version FROM control.tenants WHERE placement = @placement ORDER BY id;

-- name: CountHoused :many
-- How many tenants each placement houses: all rows are counted.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT placement, count(*) AS tenants FROM control.tenants GROUP BY placement;

-- name: SetTenantVersion :exec
UPDATE control.tenants SET schema_version = @schema_version WHERE id = @id;
