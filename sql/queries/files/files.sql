-- name: InsertFile :exec
INSERT INTO files (id, line_id, folder, name, size, content_type, sha256, status, reason, object_id, metadata, owner_id,
                   version, created_at, updated_at, superseded_at, deleted_at)
VALUES (@id, @line_id, @folder, @name, @size, @content_type, @sha256, @status, @reason, @object_id, @metadata, @owner_id,
        @version, @created_at, @updated_at, @superseded_at, @deleted_at);

-- name: GetFile :one
SELECT * FROM files WHERE id = @id;

-- name: LockFile :one
SELECT * FROM files WHERE id = @id FOR UPDATE;

-- name: LockCurrentFile :one
-- What carries a name: the newest version that is ready. Of an empty table any
-- index is as good as files_current_key, which it goes by among many files.
-- @sqlc-vet-disable no-full-index-scan
SELECT * FROM files
WHERE folder = @folder AND name = @name AND status = 'ready' AND superseded_at IS NULL
FOR UPDATE;

-- name: LockLine :many
SELECT * FROM files WHERE line_id = @line_id ORDER BY id FOR UPDATE;

-- name: ListVersions :many
SELECT * FROM files
WHERE line_id = @line_id
  AND CASE WHEN sqlc.narg('owner_id')::uuid IS NULL THEN true ELSE owner_id = sqlc.narg('owner_id') END
  AND (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
ORDER BY created_at DESC, id DESC
LIMIT @max_items;

-- name: UpdateFile :execrows
UPDATE files
SET line_id = @line_id, folder = @folder, name = @name, content_type = @content_type, sha256 = @sha256, status = @status,
    reason = @reason, object_id = @object_id, metadata = @metadata, superseded_at = @superseded_at, deleted_at = @deleted_at,
    version = version + 1, updated_at = @updated_at
WHERE id = @id AND version = @version;

-- name: DeleteFile :execrows
DELETE FROM files WHERE id = @id AND version = @version;

-- name: KeptObjects :many
-- What a copy of the tenant takes along, in the order of its names.
SELECT object_id::uuid AS object_id, size, (status <> 'deleted')::boolean AS needed FROM files
WHERE object_id > @after::uuid
ORDER BY object_id
LIMIT @max_items;
