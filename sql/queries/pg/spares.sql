-- name: Spares :many
-- The whole stock, which is small.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT schema_name, schema_version, migrations, own_role, state FROM control.spares ORDER BY schema_name;

-- name: TakeSpare :one
-- Takes a schema out of the stock. Those who take at the same time get different ones.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
DELETE FROM control.spares
WHERE schema_name = (
    SELECT s.schema_name FROM control.spares s
    WHERE s.state = 'ready' AND s.migrations = @migrations AND s.own_role = @own_role
    ORDER BY s.schema_name LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING schema_name;

-- name: SettleIn :execrows
-- Has a tenant that is being made live in another schema than was meant for it.
UPDATE control.tenants SET schema_name = @spare, schema_version = @version WHERE schema_name = @schema_name;

-- name: AddSpare :exec
INSERT INTO control.spares (schema_name, schema_version, migrations, own_role, state)
VALUES (@schema_name, @schema_version, @migrations, @own_role, 'bare');

-- name: FurnishSpares :many
-- The bare schemas, which the same transaction makes ready.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
UPDATE control.spares SET state = 'ready'
WHERE state = 'bare' AND migrations = @migrations AND own_role = @own_role
RETURNING schema_name;

-- name: SetSpareState :execrows
UPDATE control.spares SET state = @to_state WHERE schema_name = @schema_name AND state = @from_state;

-- name: SpareUpgraded :exec
UPDATE control.spares SET state = 'ready', schema_version = @schema_version, migrations = @migrations WHERE schema_name = @schema_name;

-- name: ForgetSpare :exec
DELETE FROM control.spares WHERE schema_name = @schema_name;

-- name: TenantsWait :one
-- Whether tenants wait for their schema that were registered after an instant. One that is made as a copy does not.
-- @sqlc-vet-disable no-full-index-scan
SELECT EXISTS (
    SELECT FROM control.tenants t
    WHERE t.status = 'provisioning' AND t.created_at > @since
      AND NOT EXISTS (SELECT FROM control.copies c WHERE c.target_id = t.id AND c.step <> 'over' AND c.kind <> 'backup'))::boolean AS waiting;
