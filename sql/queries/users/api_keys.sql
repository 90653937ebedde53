-- name: InsertAPIKey :exec
INSERT INTO api_keys (id, user_id, name, hash, hint, operations, created_at, expires_at)
VALUES (@id, @user_id, @name, @hash, @hint, @operations, @created_at, @expires_at);

-- name: FindAPIKey :one
SELECT id, user_id, name, hash, hint, operations, created_at, expires_at, last_used_at FROM api_keys WHERE id = @id;

-- name: DeleteAPIKey :execrows
DELETE FROM api_keys WHERE id = @id;

-- name: ListAPIKeys :many
SELECT id, user_id, name, hash, hint, operations, created_at, expires_at, last_used_at
FROM api_keys
WHERE (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
ORDER BY created_at DESC, id DESC
LIMIT @max_rows;

-- name: APIKeyState :one
-- All that the gate must know of an API key.
SELECT k.id, k.user_id, k.name, k.operations, k.last_used_at, u.email, u.access_version,
       COALESCE(p.version, 0)::bigint AS policy_version,
       COALESCE(p.settings_version, 0)::bigint AS settings_version,
       (u.status = 'active' AND k.expires_at > @at)::bool AS live
FROM api_keys k
JOIN users u ON u.id = k.user_id
LEFT JOIN policy p ON p.current
WHERE k.hash = @hash;

-- name: TouchAPIKey :exec
UPDATE api_keys SET last_used_at = @last_used_at::timestamptz WHERE id = @id;

-- name: APIKeyScopes :many
-- Of keys that still open something, if their makers do.
SELECT id, user_id, operations FROM api_keys WHERE id = ANY(@ids::uuid[]) AND expires_at > @at::timestamptz;
