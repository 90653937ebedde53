-- name: InsertDeletion :exec
INSERT INTO control.deletions (tenant_id, was, deleted_at, erase_after) VALUES (@tenant_id, @was, @deleted_at, @erase_after);

-- name: EndDeletion :one
-- The deletion of a tenant that comes back.
DELETE FROM control.deletions WHERE tenant_id = @tenant_id RETURNING tenant_id, was, deleted_at, erase_after;

-- name: DueDeletions :many
-- Tenants whose grace is over, those first that have waited longest.
SELECT tenant_id FROM control.deletions WHERE erase_after <= @now ORDER BY erase_after LIMIT 100;
