-- name: PutAuthenticator :exec
-- Takes the place of one that was never confirmed.
INSERT INTO authenticators (user_id, seed, last_step, created_at)
VALUES (@user_id, @seed, 0, @created_at)
ON CONFLICT (user_id) DO UPDATE SET seed = excluded.seed, last_step = 0, created_at = excluded.created_at
WHERE authenticators.confirmed_at IS NULL;

-- name: LockAuthenticator :one
SELECT user_id, seed, last_step, created_at, confirmed_at FROM authenticators WHERE user_id = @user_id FOR UPDATE;

-- name: ConfirmAuthenticator :exec
UPDATE authenticators SET confirmed_at = @confirmed_at::timestamptz, last_step = @last_step WHERE user_id = @user_id;

-- name: UseAuthenticator :exec
UPDATE authenticators SET last_step = @last_step WHERE user_id = @user_id;

-- name: DeleteAuthenticator :exec
DELETE FROM authenticators WHERE user_id = @user_id;

-- name: InsertRecoveryCodes :exec
INSERT INTO recovery_codes (user_id, hash) SELECT @user_id, unnest(@hashes::bytea[]);

-- name: TakeRecoveryCode :execrows
DELETE FROM recovery_codes WHERE user_id = @user_id AND hash = @hash;

-- name: DeleteRecoveryCodes :exec
DELETE FROM recovery_codes WHERE user_id = @user_id;

-- name: CountRecoveryCodes :one
SELECT count(*)::integer FROM recovery_codes WHERE user_id = @user_id;
