-- name: InsertErasure :exec
INSERT INTO control.erasures (tenant_id, operation_id, slug, schema_name, placement, state, tables, row_count, database_bytes,
                              objects, object_bytes, jobs, control_rows, begun_at)
VALUES (@tenant_id, @operation_id, @slug, @schema_name, @placement, 'begun', 0, 0, 0, 0, 0, 0, 0, @begun_at);

-- name: GetErasure :one
SELECT tenant_id, operation_id, slug, schema_name, placement, state, tables, row_count, database_bytes, objects, object_bytes,
       jobs, control_rows, begun_at, look_again_at
FROM control.erasures WHERE tenant_id = @tenant_id;

-- name: CountErasure :exec
-- Keeps what a tenant held, once.
UPDATE control.erasures
SET state = 'counted', tables = @tables, row_count = @row_count, database_bytes = @database_bytes, objects = @objects,
    object_bytes = @object_bytes, jobs = @jobs, control_rows = @control_rows
WHERE tenant_id = @tenant_id AND state = 'begun';

-- name: FinishErasure :exec
UPDATE control.erasures SET state = 'erased', look_again_at = @look_again_at WHERE tenant_id = @tenant_id;

-- name: DeleteErasure :exec
DELETE FROM control.erasures WHERE tenant_id = @tenant_id AND state = 'erased';

-- name: PendingErasures :many
-- Erasures that are under way, or whose objects are to be looked at once more. There are as many rows as that.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT e.tenant_id FROM control.erasures e WHERE e.state <> 'erased' OR e.look_again_at <= @now ORDER BY e.begun_at;

-- name: InsertReceipt :execrows
INSERT INTO control.erasure_receipts (tenant_id, slug, erased_at, receipt)
VALUES (@tenant_id, @slug, @erased_at, @receipt)
ON CONFLICT (tenant_id) DO NOTHING;

-- name: GetReceipt :one
SELECT tenant_id, slug, erased_at, receipt FROM control.erasure_receipts WHERE tenant_id = @tenant_id;

-- name: TenantArchives :many
-- The archives of one tenant, also those that are being made or thrown away.
SELECT object_id, size FROM control.backups WHERE tenant_id = @tenant_id;
