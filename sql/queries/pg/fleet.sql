-- name: FleetElsewhere :many
-- The tenants that are not at a version, with their last attempt, and whether they are being moved. All are read: there are
-- as many pages of tenants as the fleet has, and usually the answer is empty. A deleted tenant may be brought back at any
-- time, and is to be served then.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT t.id, t.slug, t.kind, t.schema_name, t.schema_version, t.placement,
       coalesce(a.target, 0)::bigint AS target, coalesce(a.state, '')::text AS state,
       coalesce(a.attempts, 0)::integer AS attempts, coalesce(a.error, '')::text AS error,
       EXISTS (SELECT FROM control.copies c WHERE c.target_id = t.id AND c.kind = 'move' AND c.step <> 'over') AS moving
FROM control.tenants t
LEFT JOIN control.fleet_attempts a ON a.tenant_id = t.id
WHERE t.status IN ('active', 'suspended', 'deleting') AND t.schema_version <> @version
ORDER BY t.id;

-- name: FleetTenant :one
-- Where a tenant is now, whether it is being moved, and whether it is being erased.
SELECT t.placement, (t.status NOT IN ('active', 'suspended', 'deleting'))::boolean AS erasing,
       EXISTS (SELECT FROM control.copies c WHERE c.target_id = t.id AND c.kind = 'move' AND c.step <> 'over') AS moving
FROM control.tenants t WHERE t.id = @id;

-- name: FleetTenants :many
-- All tenants that have a schema to look after.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT t.id, t.slug, t.kind, t.schema_name, t.schema_version, t.placement
FROM control.tenants t
WHERE t.status IN ('active', 'suspended', 'deleting')
ORDER BY t.id;

-- name: FleetVersions :many
-- How many tenants are at each version.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT t.schema_version, count(*) AS tenants
FROM control.tenants t
WHERE t.status IN ('active', 'suspended', 'deleting')
GROUP BY t.schema_version
ORDER BY t.schema_version;

-- name: SetSchemaVersion :exec
UPDATE control.tenants SET schema_version = @version WHERE schema_name = @schema_name;

-- name: SchemaServed :one
-- Whether a tenant that is there has its rows in a schema of this database. One that is being made or erased does not
-- count, and one that another placement has is only copied.
SELECT EXISTS (SELECT FROM control.tenants
               WHERE schema_name = @schema_name AND placement = @placement
                 AND status IN ('active', 'suspended', 'deleting'))::boolean AS served;

-- name: FinishAttempt :exec
-- Keeps how an attempt on a tenant ended.
INSERT INTO control.fleet_attempts AS a (tenant_id, target, state, attempts, error, started_at, finished_at)
VALUES (@tenant_id, @target, @state, 1, @error, @started_at, @finished_at)
ON CONFLICT (tenant_id) DO UPDATE
SET target = excluded.target, state = excluded.state, error = excluded.error,
    started_at = excluded.started_at, finished_at = excluded.finished_at,
    attempts = CASE WHEN a.target = excluded.target THEN a.attempts + 1 ELSE 1 END;

-- name: Freeze :execrows
INSERT INTO control.fleet_freezes (id, reason, frozen_by, frozen_at)
VALUES (1, @reason, @frozen_by, @frozen_at)
ON CONFLICT (id) DO NOTHING;

-- name: Thaw :execrows
DELETE FROM control.fleet_freezes WHERE id = 1;

-- name: GetFreeze :one
SELECT reason, frozen_by, frozen_at FROM control.fleet_freezes WHERE id = 1;

-- name: LandlordSchema :one
-- The schema of the operator's tenant. Its partial index holds this one row.
-- @sqlc-vet-disable no-full-index-scan
SELECT schema_name FROM control.tenants WHERE kind = 'operator' AND status IN ('active', 'suspended');
