-- name: FailuresOf :many
SELECT subject, failures, last_at, blocked_until FROM failed_attempts WHERE subject = ANY(@subjects::bytea[]);

-- name: CountFailure :one
-- Counts from one again when the last failure is long ago.
INSERT INTO failed_attempts (subject, failures, last_at, blocked_until)
VALUES (@subject, 1, @now, @now)
ON CONFLICT (subject) DO UPDATE
SET failures = CASE WHEN failed_attempts.last_at < @forget_before THEN 1 ELSE failed_attempts.failures + 1 END,
    last_at = excluded.last_at
RETURNING failures;

-- name: BlockSubject :exec
UPDATE failed_attempts SET blocked_until = @blocked_until WHERE subject = @subject;

-- name: ForgetFailures :exec
DELETE FROM failed_attempts WHERE subject = ANY(@subjects::bytea[]);

-- name: PurgeFailures :exec
DELETE FROM failed_attempts
WHERE subject IN (SELECT f.subject FROM failed_attempts f WHERE f.last_at < @forget_before ORDER BY f.last_at LIMIT 50);
