-- name: ListSigningKeys :many
-- All keys there ever were: a handful.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT id, generation, public_key, private_key, created_at, expires_at
FROM control.signing_keys
ORDER BY generation DESC;

-- name: InsertSigningKey :exec
-- Does nothing when another process has made this generation.
INSERT INTO control.signing_keys (id, generation, public_key, private_key, created_at, expires_at)
VALUES (@id, @generation, @public_key, @private_key, @created_at, @expires_at)
ON CONFLICT (generation) DO NOTHING;
