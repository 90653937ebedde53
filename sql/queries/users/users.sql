-- name: InsertUser :exec
INSERT INTO users (id, email, email_key, name, name_key, locale, time_zone, status, password_hash, second_factor, access_version, version, created_at, updated_at)
VALUES (@id, @email, @email_key, @name, @name_key, @locale, @time_zone, @status, @password_hash, @second_factor, @access_version, @version, @created_at, @updated_at);

-- name: FindUser :one
SELECT id, email, email_key, name, name_key, locale, time_zone, status, password_hash, second_factor, access_version, version, created_at, updated_at
FROM users
WHERE id = @id;

-- name: FindUserByEmail :one
SELECT id, email, email_key, name, name_key, locale, time_zone, status, password_hash, second_factor, access_version, version, created_at, updated_at
FROM users
WHERE email_key = @email_key;

-- name: LockUser :one
SELECT id, email, email_key, name, name_key, locale, time_zone, status, password_hash, second_factor, access_version, version, created_at, updated_at
FROM users
WHERE id = @id
FOR UPDATE;

-- name: UpdateUser :execrows
-- Changes a user that is still at the version the caller has seen.
UPDATE users
SET email = @email, email_key = @email_key, name = @name, name_key = @name_key, locale = @locale, time_zone = @time_zone,
    status = @status, password_hash = @password_hash, second_factor = @second_factor, access_version = @access_version, version = version + 1, updated_at = @updated_at
WHERE id = @id AND version = @version;

-- name: RehashPassword :exec
-- The same password in the form that is made now: nothing about the user has changed.
UPDATE users SET password_hash = @password_hash::text WHERE id = @id;

-- name: DeleteUser :execrows
-- Sessions and tokens go with the user.
DELETE FROM users WHERE id = @id AND version = @version;

-- name: ListUsers :many
SELECT id, email, email_key, name, name_key, locale, time_zone, status, password_hash, second_factor, access_version, version, created_at, updated_at
FROM users
WHERE (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
  AND created_at >= @created_from AND created_at < @created_before
  AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
  AND (sqlc.narg(email_prefix)::text IS NULL OR starts_with(email_key, sqlc.narg(email_prefix)))
  AND (sqlc.narg(among)::uuid[] IS NULL OR id = ANY(sqlc.narg(among)))
ORDER BY created_at DESC, id DESC
LIMIT @max_rows;

-- name: ListUsersByEmail :many
SELECT id, email, email_key, name, name_key, locale, time_zone, status, password_hash, second_factor, access_version, version, created_at, updated_at
FROM users
WHERE email_key > @after_text
  AND created_at >= @created_from AND created_at < @created_before
  AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
  AND (sqlc.narg(email_prefix)::text IS NULL OR starts_with(email_key, sqlc.narg(email_prefix)))
  AND (sqlc.narg(among)::uuid[] IS NULL OR id = ANY(sqlc.narg(among)))
ORDER BY email_key
LIMIT @max_rows;

-- name: ListUsersByName :many
SELECT id, email, email_key, name, name_key, locale, time_zone, status, password_hash, second_factor, access_version, version, created_at, updated_at
FROM users
WHERE (name_key, id) > (@after_text::text, @after_id::uuid)
  AND created_at >= @created_from AND created_at < @created_before
  AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
  AND (sqlc.narg(email_prefix)::text IS NULL OR starts_with(email_key, sqlc.narg(email_prefix)))
  AND (sqlc.narg(among)::uuid[] IS NULL OR id = ANY(sqlc.narg(among)))
ORDER BY name_key, id
LIMIT @max_rows;

-- name: ListInvitations :many
SELECT sqlc.embed(u), t.created_at AS sent_at, t.expires_at
FROM one_time_tokens t
JOIN users u ON u.id = t.user_id
WHERE t.purpose = 'invitation' AND u.status = 'invited'
  AND (t.created_at, t.user_id) < (@after_at::timestamptz, @after_id::uuid)
ORDER BY t.created_at DESC, t.user_id DESC
LIMIT @max_rows;

-- name: AnyActiveUser :one
SELECT EXISTS (SELECT FROM users WHERE id = ANY(@ids::uuid[]) AND status = 'active');

-- name: ActiveUsers :many
SELECT id FROM users WHERE id = ANY(@ids::uuid[]) AND status = 'active';
