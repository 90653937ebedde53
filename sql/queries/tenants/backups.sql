-- name: InsertBackup :exec
INSERT INTO control.backups (id, tenant_id, slug, name, admin_email, status, reason, object_id, schema_version, row_count, file_count, file_bytes,
                             size, sha256, snapshot_at, version, created_at, updated_at)
VALUES (@id, @tenant_id, @slug, @name, @admin_email, @status, @reason, @object_id, 0, 0, 0, 0, 0, '', NULL, @version, @created_at, @updated_at);

-- name: GetBackup :one
SELECT * FROM control.backups WHERE id = @id AND tenant_id = @tenant_id;

-- name: LockBackup :one
SELECT * FROM control.backups WHERE id = @id AND tenant_id = @tenant_id FOR UPDATE;

-- name: FindBackup :one
SELECT * FROM control.backups WHERE id = @id;

-- name: ListBackups :many
SELECT * FROM control.backups
WHERE tenant_id = @tenant_id AND (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
ORDER BY created_at DESC, id DESC
LIMIT @max_items;

-- name: ScheduledBackups :many
SELECT * FROM control.backups
WHERE tenant_id = @tenant_id AND reason = 'schedule'
ORDER BY created_at DESC, id DESC
LIMIT @max_items;

-- name: UpdateBackup :execrows
UPDATE control.backups SET status = @status, version = version + 1, updated_at = @updated_at
WHERE id = @id AND version = @version;

-- name: AimBackup :exec
-- The attempt writes an archive of its own.
UPDATE control.backups SET object_id = @object_id WHERE id = @id;

-- name: AimCopy :exec
-- The attempt makes a schema of its own.
UPDATE control.copies SET schema_name = @schema_name WHERE operation_id = @operation_id;

-- name: CompleteBackup :execrows
UPDATE control.backups
SET status = 'complete', schema_version = @schema_version, row_count = @row_count, file_count = @file_count, file_bytes = @file_bytes,
    size = @size, sha256 = @sha256, snapshot_at = @snapshot_at, version = version + 1, updated_at = @updated_at
WHERE id = @id AND status NOT IN ('complete', 'failed', 'deleting');

-- name: FailBackup :exec
UPDATE control.backups SET status = 'failed', version = version + 1, updated_at = @updated_at
WHERE id = @id AND status NOT IN ('complete', 'failed', 'deleting');

-- name: DeletingBackups :many
-- Its partial index holds these few rows alone, so that a scan of it is the plan.
-- @sqlc-vet-disable no-full-index-scan
SELECT id FROM control.backups WHERE status = 'deleting' ORDER BY id;

-- name: ForgetBackup :exec
DELETE FROM control.backups WHERE id = @id AND status = 'deleting';

-- name: InsertCopy :exec
INSERT INTO control.copies (operation_id, kind, step, backup_id, source_id, target_id, schema_name, old_schema, attempts,
                            from_placement, to_placement)
VALUES (@operation_id, @kind, @step, sqlc.narg('backup_id'), @source_id, @target_id, @schema_name, @old_schema, 0, @from_placement, @to_placement);

-- name: GetCopy :one
SELECT c.*, o.created_at AS begun_at
FROM control.copies c JOIN control.operations o ON o.id = c.operation_id
WHERE c.operation_id = @operation_id;

-- name: OpenCopies :many
-- Its partial index holds these few rows alone, so that a scan of it is the plan.
-- @sqlc-vet-disable no-full-index-scan
SELECT operation_id FROM control.copies WHERE step <> 'over' ORDER BY operation_id;

-- name: BackupInUse :one
SELECT EXISTS (SELECT FROM control.copies WHERE backup_id = @backup_id::uuid AND step <> 'over') AS used;

-- name: BeginAttempt :one
-- Takes the work over, unless somebody else has since it was looked at.
UPDATE control.copies SET attempts = attempts + 1 WHERE operation_id = @operation_id AND step = @step AND attempts = @attempts
RETURNING attempts;

-- name: HoldCopy :one
-- Keeps everybody from taking the work over until the end of the transaction.
SELECT attempts, step FROM control.copies WHERE operation_id = @operation_id FOR UPDATE;

-- name: OpenCopiesOf :many
SELECT kind FROM control.copies WHERE source_id = @source_id AND step <> 'over';

-- name: SetCopyStep :exec
UPDATE control.copies SET step = @step WHERE operation_id = @operation_id;

-- name: AdvanceOperation :exec
-- How far running work is. It never goes back, except to the beginning.
UPDATE control.operations SET progress = @progress, updated_at = @updated_at WHERE id = @id AND status = 'running';

-- name: NoteOperation :exec
-- Why the last try failed.
UPDATE control.operations SET error_code = @error_code, error_detail = @error_detail, updated_at = @updated_at
WHERE id = @id AND status = 'running';

-- name: FailOperation :exec
UPDATE control.operations SET status = 'failed', updated_at = @updated_at WHERE id = @id AND status = 'running';

-- name: SucceedOperation :exec
UPDATE control.operations SET status = 'succeeded', progress = 100, error_code = '', error_detail = '', updated_at = @updated_at
WHERE id = @id AND status = 'running';
