-- name: CountUsers :one
-- Counts everybody, so it reads everybody.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT count(*) AS total, count(*) FILTER (WHERE status = 'active') AS active FROM users;
