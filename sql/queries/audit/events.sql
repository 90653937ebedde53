-- name: InsertEvent :exec
INSERT INTO audit_events (
    id, at, operation, outcome, code, rule,
    actor_kind, actor_id, actor_label, session_id,
    target_kind, target_id, target_label,
    before, after, request_id, address, client, xid
) VALUES (
    @id, @at, @operation, @outcome, @code, @rule,
    @actor_kind, @actor_id, @actor_label, @session_id,
    @target_kind, @target_id, @target_label,
    @before, @after, @request_id, @address, @client, pg_current_xact_id()::text::bigint
);

-- name: GetEvent :one
SELECT id, at, operation, outcome, code, rule,
       actor_kind, actor_id, actor_label, session_id,
       target_kind, target_id, target_label,
       before, after, request_id, address, client, xid
FROM audit_events
WHERE id = @id;

-- name: ListEvents :many
-- The span of time and the keyset are always bound, so that one plan, along
-- the index, serves every page.
SELECT id, at, operation, outcome, code, rule,
       actor_kind, actor_id, actor_label, session_id,
       target_kind, target_id, target_label,
       before, after, request_id, address, client, xid
FROM audit_events
WHERE (at, id) < (@after_at::timestamptz, @after_id::uuid)
  AND at >= @from_at::timestamptz
  AND at < @to_at::timestamptz
  AND (sqlc.narg('actor_id')::uuid IS NULL OR actor_id = sqlc.narg('actor_id'))
  AND (sqlc.narg('operation')::text IS NULL OR operation = sqlc.narg('operation'))
  AND (sqlc.narg('operation_prefix')::text IS NULL OR starts_with(operation, sqlc.narg('operation_prefix')))
  AND (sqlc.narg('target_kind')::text IS NULL OR target_kind = sqlc.narg('target_kind'))
  AND (sqlc.narg('target_id')::text IS NULL OR target_id = sqlc.narg('target_id'))
  AND (sqlc.narg('outcome')::text IS NULL OR outcome = sqlc.narg('outcome'))
  AND (sqlc.narg('request_id')::text IS NULL OR request_id = sqlc.narg('request_id'))
ORDER BY at DESC, id DESC
LIMIT @max_rows;
