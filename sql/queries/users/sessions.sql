-- name: InsertSession :exec
INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, address, client)
VALUES (@id, @user_id, @created_at, @last_used_at, @expires_at, @address, @client);

-- name: EndSession :execrows
UPDATE sessions SET ended_at = @ended_at::timestamptz WHERE id = @id AND user_id = @user_id AND ended_at IS NULL;

-- name: EndSessions :exec
-- Ends all sessions of a user but one.
UPDATE sessions SET ended_at = @ended_at::timestamptz WHERE user_id = @user_id AND id <> @except_id AND ended_at IS NULL;

-- name: ListLiveSessions :many
SELECT id, user_id, created_at, last_used_at, expires_at, ended_at, address, client
FROM sessions
WHERE user_id = @user_id AND ended_at IS NULL AND expires_at > @at AND last_used_at > @idle_since
  AND (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
ORDER BY created_at DESC, id DESC
LIMIT @max_rows;

-- name: SessionState :one
-- All that the gate must know of a token's session.
SELECT u.id AS user_id, u.email, u.access_version, u.second_factor, s.last_used_at,
       COALESCE(p.version, 0)::bigint AS policy_version,
       COALESCE(p.settings_version, 0)::bigint AS settings_version,
       (u.status = 'active' AND s.ended_at IS NULL AND s.expires_at > @at)::bool AS live
FROM sessions s
JOIN users u ON u.id = s.user_id
LEFT JOIN policy p ON p.current
WHERE s.id = @id;

-- name: InsertRefreshToken :exec
INSERT INTO refresh_tokens (hash, session_id, created_at) VALUES (@hash, @session_id, @created_at);

-- name: LockRefreshToken :one
-- The locks make refreshes of one session, and the end of it, wait for one
-- another; each then sees what the one before did.
SELECT sqlc.embed(s), sqlc.embed(u), r.used_at
FROM refresh_tokens r
JOIN sessions s ON s.id = r.session_id
JOIN users u ON u.id = s.user_id
WHERE r.hash = @hash
FOR UPDATE OF r, s;

-- name: UseRefreshToken :exec
UPDATE refresh_tokens SET used_at = @used_at::timestamptz WHERE hash = @hash;

-- name: TouchSession :exec
UPDATE sessions SET last_used_at = @last_used_at WHERE id = @id;
