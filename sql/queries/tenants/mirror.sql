-- name: PutMirrored :exec
-- Keeps the entry of a tenant in the registry of the placement that houses it. Where its rows are, and of which version
-- they are, changes there and in the same transaction as the rows, so an entry that is there keeps that.
INSERT INTO control.tenants (id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement)
VALUES (@id, @slug, @name, @kind, @status, @schema_name, @admin_email, @version, @created_at, @updated_at, @schema_version, @placement)
ON CONFLICT (id) DO UPDATE
SET slug = excluded.slug, name = excluded.name, status = excluded.status, version = excluded.version, updated_at = excluded.updated_at;

-- name: ArriveMirrored :exec
-- Keeps the entry of a tenant whose rows come to this placement, of a version, in the transaction in which they do. Which
-- placement houses it does not change by that.
INSERT INTO control.tenants (id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement)
VALUES (@id, @slug, @name, @kind, @status, @schema_name, @admin_email, @version, @created_at, @updated_at, @schema_version, @placement)
ON CONFLICT (id) DO UPDATE SET schema_version = excluded.schema_version;

-- name: AnnounceTenant :exec
-- Brings the entry of a tenant that is to be made to the placement that is to house it. One that is there says more.
INSERT INTO control.tenants (id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement)
VALUES (@id, @slug, @name, @kind, @status, @schema_name, @admin_email, @version, @created_at, @updated_at, @schema_version, @placement)
ON CONFLICT (id) DO NOTHING;

-- name: ExpelTenant :exec
-- Takes the entry of a tenant, which the registry does not know any more, out of a placement that has nothing of it.
DELETE FROM control.tenants WHERE id = @id AND placement = @placement AND to_regnamespace(schema_name) IS NULL;

-- name: HousedTenants :many
-- The tenants of one placement, as a registry has them.
SELECT id, slug, name, status, schema_name, version, schema_version FROM control.tenants WHERE placement = @placement ORDER BY id;

-- name: CountHoused :many
-- How many tenants each placement houses: all rows are counted.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT placement, count(*) AS tenants FROM control.tenants GROUP BY placement;

-- name: SetTenantVersion :exec
UPDATE control.tenants SET schema_version = @schema_version WHERE id = @id;

-- name: HouseSchema :execrows
-- Has a placement say that a tenant's rows are in another schema, of which version.
UPDATE control.tenants SET schema_name = @schema_name, schema_version = @schema_version, updated_at = @updated_at
WHERE id = @id AND schema_name = @old_schema AND status IN ('provisioning', 'active', 'suspended');

-- name: FollowTenant :one
-- Has the registry say what the placement that houses a tenant has made of its rows. One that was being made is there.
UPDATE control.tenants
SET schema_name = @schema_name, schema_version = @schema_version, version = version + 1, updated_at = @updated_at,
    status = CASE WHEN status = 'provisioning' THEN 'active' ELSE status END
WHERE id = @id
RETURNING id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement;

-- name: IsRegistry :one
-- Whether this is the registry itself and not that of a placement: it alone has the operator's entry. The partial index of
-- that has one row at most.
-- @sqlc-vet-disable no-full-index-scan
SELECT EXISTS (SELECT FROM control.tenants WHERE kind = 'operator') AS it_is;

-- name: FenceCopy :execrows
-- Tells a placement which attempt at a copy may work there: none that began before.
INSERT INTO control.copies AS c (operation_id, kind, step, source_id, target_id, schema_name, old_schema, attempts, from_placement, to_placement)
VALUES (@operation_id, @kind, @step, @source_id, @target_id, '', '', @attempts, '', @to_placement)
ON CONFLICT (operation_id) DO UPDATE SET attempts = excluded.attempts WHERE c.attempts <= excluded.attempts;

-- name: UnfenceCopy :exec
-- Takes that away when nothing is left to do there.
DELETE FROM control.copies WHERE operation_id = @operation_id;
