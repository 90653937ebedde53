-- name: InsertOneTimeToken :exec
INSERT INTO one_time_tokens (hash, user_id, purpose, address, created_at, expires_at)
VALUES (@hash, @user_id, @purpose, @address, @created_at, @expires_at);

-- name: TakeOneTimeToken :one
DELETE FROM one_time_tokens
WHERE hash = @hash AND purpose = @purpose
RETURNING hash, user_id, purpose, address, created_at, expires_at;

-- name: DeleteOneTimeTokens :exec
DELETE FROM one_time_tokens WHERE user_id = @user_id AND purpose = @purpose;
