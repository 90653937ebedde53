-- name: ReserveUsage :one
-- The condition is checked again after a wait for another reservation, so two
-- never share the last byte.
UPDATE file_usage SET bytes = bytes + @bytes, files = files + 1
WHERE scope = @scope AND bytes + @bytes <= @max_bytes::bigint AND files + 1 <= @max_files::bigint
RETURNING bytes, files;

-- name: ReleaseUsage :execrows
UPDATE file_usage SET bytes = bytes - @bytes, files = files - 1 WHERE scope = @scope;

-- name: BeginUsage :exec
INSERT INTO file_usage (scope, bytes, files) VALUES (@scope, 0, 0) ON CONFLICT (scope) DO NOTHING;

-- name: GetUsage :one
SELECT bytes, files FROM file_usage WHERE scope = @scope;

-- name: LockUsage :one
SELECT bytes, files FROM file_usage WHERE scope = @scope FOR UPDATE;
