-- name: InsertShare :exec
INSERT INTO file_shares (id, file_id, token_hash, single_use, opened, created_by, created_at, expires_at, revoked_at)
VALUES (@id, @file_id, @token_hash, @single_use, @opened, @created_by, @created_at, @expires_at, @revoked_at);

-- name: GetShareByToken :one
SELECT * FROM file_shares WHERE token_hash = @token_hash;

-- name: LockShare :one
SELECT * FROM file_shares WHERE id = @id FOR UPDATE;

-- name: UpdateShare :exec
UPDATE file_shares SET opened = @opened, revoked_at = @revoked_at WHERE id = @id;

-- name: ListShares :many
SELECT * FROM file_shares
WHERE file_id = @file_id
  AND (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
ORDER BY created_at DESC, id DESC
LIMIT @max_items;
