-- name: ClaimKey :execrows
-- Takes a key that nobody used, or whose time is over. Waits for a request
-- with the same key that is still running.
INSERT INTO idempotency_keys (caller_id, key, fingerprint, expires_at)
VALUES (@caller_id, @key, @fingerprint, @expires_at)
ON CONFLICT (caller_id, key) DO UPDATE
SET fingerprint = excluded.fingerprint, expires_at = excluded.expires_at, result = NULL
WHERE idempotency_keys.expires_at < @now;

-- name: KeyResult :one
SELECT fingerprint, result FROM idempotency_keys WHERE caller_id = @caller_id AND key = @key;

-- name: KeepResult :exec
UPDATE idempotency_keys SET result = @result WHERE caller_id = @caller_id AND key = @key;

-- name: PurgeKeys :exec
DELETE FROM idempotency_keys
WHERE (caller_id, key) IN (
    SELECT k.caller_id, k.key FROM idempotency_keys k WHERE k.expires_at < @now ORDER BY k.expires_at LIMIT 50
);

-- name: BoundLockWait :one
-- Bounds the wait for a lock and tells what it was bounded by before.
WITH before AS MATERIALIZED (SELECT current_setting('lock_timeout') AS timeout),
     now AS MATERIALIZED (SELECT b.timeout, set_config('lock_timeout', @timeout::text, true) AS bound FROM before b)
SELECT n.timeout::text AS before FROM now n;

-- name: ReleaseKey :exec
DELETE FROM idempotency_keys WHERE caller_id = @caller_id AND key = @key;
