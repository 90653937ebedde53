-- name: PutWork :exec
INSERT INTO outbox (id, operation, args, run_at) VALUES (@id, @operation, @args, @run_at);

-- name: TakeWork :many
-- The oldest work, kept from other relays until it is deleted: whatever waits there is wanted, in the order of the key.
-- @sqlc-vet-disable no-full-index-scan
SELECT id, operation, args, run_at FROM outbox ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED;

-- name: DeleteWork :exec
DELETE FROM outbox WHERE id = ANY(@ids::uuid[]);
