-- name: NoteBusy :exec
-- Adds what a process has counted to what is known, of tenants that are served. What was counted before fades by half in
-- an hour. The order keeps two processes from waiting for each other.
INSERT INTO control.busy_tenants AS b (tenant_id, requests, noted_at)
SELECT t.id, (@requests::bigint[])[i.place], @at::timestamptz
FROM unnest(@ids::uuid[]) WITH ORDINALITY AS i (id, place)
JOIN control.tenants t ON t.id = i.id
WHERE t.status = 'active'
ORDER BY t.id
ON CONFLICT (tenant_id) DO UPDATE
SET requests = b.requests * power(0.5, extract(epoch FROM excluded.noted_at - b.noted_at) / 3600) + excluded.requests,
    noted_at = excluded.noted_at;

-- name: ForgetIdle :exec
-- Keeps the busiest that are served. Rows that another process has just noted are left to it. All rows are read: there
-- are not many more than are kept.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
DELETE FROM control.busy_tenants
WHERE tenant_id IN (
    SELECT d.tenant_id FROM control.busy_tenants d
    WHERE d.tenant_id NOT IN (
        SELECT b.tenant_id FROM control.busy_tenants b
        JOIN control.tenants t ON t.id = b.tenant_id
        WHERE t.status = 'active'
        ORDER BY b.requests * power(0.5, extract(epoch FROM sqlc.arg('at')::timestamptz - b.noted_at) / 3600) DESC, b.tenant_id
        LIMIT @most)
    FOR UPDATE SKIP LOCKED);

-- name: BusiestTenants :many
-- The busiest tenants that are served, the busiest first. All rows are read: there are not many more.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT t.id FROM control.busy_tenants b
JOIN control.tenants t ON t.id = b.tenant_id
WHERE t.status = 'active'
ORDER BY b.requests * power(0.5, extract(epoch FROM sqlc.arg('at')::timestamptz - b.noted_at) / 3600) DESC, t.id
LIMIT @most;
