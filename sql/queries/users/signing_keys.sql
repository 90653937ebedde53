-- name: ListSigningKeys :many
-- All keys there ever were: a handful.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT id, generation, public_key, private_key, created_at, signs_from, expires_at
FROM control.signing_keys
ORDER BY generation DESC;

-- name: InsertSigningKey :execrows
-- Does nothing when another process has made this generation.
INSERT INTO control.signing_keys (id, generation, public_key, private_key, created_at, signs_from, expires_at)
VALUES (@id, @generation, @public_key, @private_key, @created_at, @signs_from, @expires_at)
ON CONFLICT (generation) DO NOTHING;

-- name: RetireSigningKeys :exec
-- Lets the keys before this generation end no later than this.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
UPDATE control.signing_keys SET expires_at = @expires_at WHERE generation < @generation AND expires_at > @expires_at;
