-- name: FleetFrozen :one
-- Whether no tenant's schema may be changed. There is one row at most.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT EXISTS (SELECT FROM control.fleet_freezes) AS frozen;

-- name: MoveState :one
SELECT state FROM control.copies WHERE operation_id = @operation_id;

-- name: KeepMoveState :exec
UPDATE control.copies SET state = @state WHERE operation_id = @operation_id;

-- name: KeepResult :exec
-- What long work has come to.
UPDATE control.operations SET result = @result WHERE id = @id;

-- name: PlaceTenant :execrows
-- Has the registry say that a tenant is in another placement.
UPDATE control.tenants SET placement = @to_placement, version = version + 1, updated_at = @updated_at
WHERE id = @id AND placement = @from_placement;

-- name: OpenMirrored :execrows
-- Opens a tenant in the placement that houses it from now on.
UPDATE control.tenants
SET slug = @slug, name = @name, status = @status, version = @version, updated_at = @updated_at, placement = @placement
WHERE id = @id;

-- name: DropMirrored :exec
-- Removes the entry of a tenant that another placement houses: never from the registry itself, which has the operator's
-- entry too, whatever name somebody has given its database. The partial index of that has one row at most.
-- @sqlc-vet-disable no-full-index-scan
DELETE FROM control.tenants t
WHERE t.id = @id AND t.placement <> @placement
  AND NOT EXISTS (SELECT FROM control.tenants o WHERE o.kind = 'operator');

-- name: ForgetMoving :exec
-- A placement that does not house a tenant keeps nothing of its moves.
DELETE FROM control.moving WHERE tenant_id = @id;

-- name: OpenMoveOf :one
-- The move of a tenant that is not over.
SELECT operation_id FROM control.copies WHERE source_id = @tenant_id AND kind = 'move' AND step <> 'over';

-- name: NoteRemains :exec
INSERT INTO control.remains (id, tenant_id, placement, schema_name, noted_at)
VALUES (@id, @tenant_id, @placement, @schema_name, @noted_at)
ON CONFLICT (placement, tenant_id, schema_name) DO NOTHING;

-- name: Remains :many
-- There are as many as moves that were given up, and not all of them for long.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT id, tenant_id, placement, schema_name, noted_at FROM control.remains ORDER BY placement, noted_at, id;

-- name: RemainsOf :many
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT placement FROM control.remains WHERE tenant_id = @tenant_id ORDER BY placement;

-- name: GetRemains :one
SELECT id, tenant_id, placement, schema_name, noted_at FROM control.remains WHERE id = @id;

-- name: ForgetRemains :exec
DELETE FROM control.remains WHERE id = @id;

-- name: ReclaimRemains :exec
-- A move to where the tenant has left something takes that over. What has another name stays noted.
DELETE FROM control.remains WHERE placement = @placement AND tenant_id = @tenant_id AND schema_name = @schema_name;
