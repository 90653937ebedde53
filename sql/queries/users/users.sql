-- name: InsertUser :exec
INSERT INTO users (id, email, email_key, name, status, password_hash, access_version, version, created_at, updated_at)
VALUES (@id, @email, @email_key, @name, @status, @password_hash, @access_version, @version, @created_at, @updated_at);

-- name: FindUser :one
SELECT id, email, email_key, name, status, password_hash, access_version, version, created_at, updated_at
FROM users
WHERE id = @id;

-- name: FindUserByEmail :one
SELECT id, email, email_key, name, status, password_hash, access_version, version, created_at, updated_at
FROM users
WHERE email_key = @email_key;

-- name: LockUser :one
SELECT id, email, email_key, name, status, password_hash, access_version, version, created_at, updated_at
FROM users
WHERE id = @id
FOR UPDATE;

-- name: UpdateUser :execrows
-- Changes a user that is still at the version the caller has seen.
UPDATE users
SET email = @email, email_key = @email_key, name = @name, status = @status, password_hash = @password_hash,
    access_version = @access_version, version = version + 1, updated_at = @updated_at
WHERE id = @id AND version = @version;

-- name: DeleteUser :execrows
-- Sessions and tokens go with the user.
DELETE FROM users WHERE id = @id AND version = @version;

-- name: ListUsers :many
SELECT id, email, email_key, name, status, password_hash, access_version, version, created_at, updated_at
FROM users
WHERE (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
  AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
  AND (sqlc.narg(email_prefix)::text IS NULL OR starts_with(email_key, sqlc.narg(email_prefix)))
ORDER BY created_at DESC, id DESC
LIMIT @max_rows;

-- name: AnyActiveUser :one
SELECT EXISTS (SELECT FROM users WHERE id = ANY(@ids::uuid[]) AND status = 'active');

-- name: ActiveUsers :many
SELECT id FROM users WHERE id = ANY(@ids::uuid[]) AND status = 'active';
