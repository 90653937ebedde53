-- name: InsertOperation :exec
INSERT INTO control.operations (id, kind, tenant_id, status, progress, error_code, error_detail, created_at, updated_at)
VALUES (@id, @kind, @tenant_id, @status, @progress, @error_code, @error_detail, @created_at, @updated_at);

-- name: GetOperation :one
SELECT id, kind, tenant_id, status, progress, error_code, error_detail, result, created_at, updated_at
FROM control.operations WHERE id = @id;

-- name: UpdateOperation :exec
UPDATE control.operations
SET status = @status, progress = @progress, error_code = @error_code, error_detail = @error_detail, updated_at = @updated_at
WHERE tenant_id = @tenant_id AND kind = @kind AND status = 'running';
