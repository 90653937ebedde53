-- name: InsertFile :exec
INSERT INTO files (id, name, size, content_type, sha256, status, object_id, owner_id, version, created_at, updated_at)
VALUES (@id, @name, @size, @content_type, @sha256, @status, @object_id, @owner_id, @version, @created_at, @updated_at);

-- name: GetFile :one
SELECT id, name, size, content_type, sha256, status, object_id, owner_id, version, created_at, updated_at
FROM files WHERE id = @id;

-- name: LockFile :one
SELECT id, name, size, content_type, sha256, status, object_id, owner_id, version, created_at, updated_at
FROM files WHERE id = @id FOR UPDATE;

-- name: ListFiles :many
SELECT id, name, size, content_type, sha256, status, object_id, owner_id, version, created_at, updated_at
FROM files
WHERE (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
  AND (sqlc.narg('status')::text IS NULL OR status = sqlc.narg('status')::text)
  AND (sqlc.narg('name_prefix')::text IS NULL OR starts_with(name, sqlc.narg('name_prefix')::text))
ORDER BY created_at DESC, id DESC
LIMIT @max_items;

-- name: UpdateFile :execrows
UPDATE files
SET content_type = @content_type, sha256 = @sha256, status = @status, object_id = @object_id,
    version = version + 1, updated_at = @updated_at
WHERE id = @id AND version = @version;

-- name: DeleteFile :execrows
DELETE FROM files WHERE id = @id AND version = @version;
