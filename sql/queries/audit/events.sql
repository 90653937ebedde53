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

-- Searches. There is one statement for each filter that an index leads to; the
-- filters that can come beside it thin out what it finds. The ends of the span
-- are always bound, and compared as places in the list, and optional filters
-- stand in CASE: so the server expects many records, keeps to the order of the
-- index and stops at the limit, whatever the values are.

-- name: ListEvents :many
SELECT e.* FROM audit_events e
WHERE (e.at, e.id) < (@until_at::timestamptz, @until_id::uuid) AND (e.at, e.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('outcome')::text IS NULL THEN true ELSE e.outcome = sqlc.narg('outcome') END
ORDER BY e.at DESC, e.id DESC LIMIT @max_rows;

-- name: ListEventsByActor :many
SELECT e.* FROM audit_events e
WHERE e.actor_id = @actor_id::uuid
  AND (e.at, e.id) < (@until_at::timestamptz, @until_id::uuid) AND (e.at, e.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('operation')::text IS NULL THEN true ELSE e.operation = sqlc.narg('operation') END
  AND CASE WHEN sqlc.narg('operation_prefix')::text IS NULL THEN true ELSE starts_with(e.operation, sqlc.narg('operation_prefix')) END
  AND CASE WHEN sqlc.narg('target_kind')::text IS NULL THEN true ELSE e.target_kind = sqlc.narg('target_kind') END
  AND CASE WHEN sqlc.narg('outcome')::text IS NULL THEN true ELSE e.outcome = sqlc.narg('outcome') END
  AND CASE WHEN sqlc.narg('address')::text IS NULL THEN true ELSE e.address = sqlc.narg('address') END
ORDER BY e.at DESC, e.id DESC LIMIT @max_rows;

-- name: ListEventsByOperation :many
SELECT e.* FROM audit_events e
WHERE e.operation = @operation::text
  AND (e.at, e.id) < (@until_at::timestamptz, @until_id::uuid) AND (e.at, e.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('target_kind')::text IS NULL THEN true ELSE e.target_kind = sqlc.narg('target_kind') END
  AND CASE WHEN sqlc.narg('outcome')::text IS NULL THEN true ELSE e.outcome = sqlc.narg('outcome') END
ORDER BY e.at DESC, e.id DESC LIMIT @max_rows;

-- name: ListEventsByTarget :many
SELECT e.* FROM audit_events e
WHERE e.target_id = @target_id::text
  AND (e.at, e.id) < (@until_at::timestamptz, @until_id::uuid) AND (e.at, e.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('actor_id')::uuid IS NULL THEN true ELSE e.actor_id = sqlc.narg('actor_id') END
  AND CASE WHEN sqlc.narg('operation')::text IS NULL THEN true ELSE e.operation = sqlc.narg('operation') END
  AND CASE WHEN sqlc.narg('operation_prefix')::text IS NULL THEN true ELSE starts_with(e.operation, sqlc.narg('operation_prefix')) END
  AND CASE WHEN sqlc.narg('target_kind')::text IS NULL THEN true ELSE e.target_kind = sqlc.narg('target_kind') END
  AND CASE WHEN sqlc.narg('outcome')::text IS NULL THEN true ELSE e.outcome = sqlc.narg('outcome') END
  AND CASE WHEN sqlc.narg('address')::text IS NULL THEN true ELSE e.address = sqlc.narg('address') END
  AND NOT EXISTS (SELECT FROM unnest(@words::text[]) AS wanted (word) WHERE NOT EXISTS (
      SELECT FROM audit_words x WHERE x.word = wanted.word AND x.at = e.at AND x.id = e.id))
ORDER BY e.at DESC, e.id DESC LIMIT @max_rows;

-- name: ListEventsByKind :many
SELECT e.* FROM audit_events e
WHERE e.target_kind = @target_kind::text
  AND (e.at, e.id) < (@until_at::timestamptz, @until_id::uuid) AND (e.at, e.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('outcome')::text IS NULL THEN true ELSE e.outcome = sqlc.narg('outcome') END
ORDER BY e.at DESC, e.id DESC LIMIT @max_rows;

-- name: ListEventsByRequest :many
SELECT e.* FROM audit_events e
WHERE e.request_id = @request_id::text
  AND (e.at, e.id) < (@until_at::timestamptz, @until_id::uuid) AND (e.at, e.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('actor_id')::uuid IS NULL THEN true ELSE e.actor_id = sqlc.narg('actor_id') END
  AND CASE WHEN sqlc.narg('operation')::text IS NULL THEN true ELSE e.operation = sqlc.narg('operation') END
  AND CASE WHEN sqlc.narg('operation_prefix')::text IS NULL THEN true ELSE starts_with(e.operation, sqlc.narg('operation_prefix')) END
  AND CASE WHEN sqlc.narg('target_kind')::text IS NULL THEN true ELSE e.target_kind = sqlc.narg('target_kind') END
  AND CASE WHEN sqlc.narg('target_id')::text IS NULL THEN true ELSE e.target_id = sqlc.narg('target_id') END
  AND CASE WHEN sqlc.narg('outcome')::text IS NULL THEN true ELSE e.outcome = sqlc.narg('outcome') END
  AND CASE WHEN sqlc.narg('address')::text IS NULL THEN true ELSE e.address = sqlc.narg('address') END
  AND NOT EXISTS (SELECT FROM unnest(@words::text[]) AS wanted (word) WHERE NOT EXISTS (
      SELECT FROM audit_words x WHERE x.word = wanted.word AND x.at = e.at AND x.id = e.id))
ORDER BY e.at DESC, e.id DESC LIMIT @max_rows;

-- name: ListEventsByAddress :many
SELECT e.* FROM audit_events e
WHERE e.address = @address::text
  AND (e.at, e.id) < (@until_at::timestamptz, @until_id::uuid) AND (e.at, e.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('operation')::text IS NULL THEN true ELSE e.operation = sqlc.narg('operation') END
  AND CASE WHEN sqlc.narg('operation_prefix')::text IS NULL THEN true ELSE starts_with(e.operation, sqlc.narg('operation_prefix')) END
  AND CASE WHEN sqlc.narg('target_kind')::text IS NULL THEN true ELSE e.target_kind = sqlc.narg('target_kind') END
  AND CASE WHEN sqlc.narg('outcome')::text IS NULL THEN true ELSE e.outcome = sqlc.narg('outcome') END
ORDER BY e.at DESC, e.id DESC LIMIT @max_rows;

-- name: ListRefusedEvents :many
SELECT e.* FROM audit_events e
WHERE e.outcome = @outcome::text AND e.outcome <> 'done'
  AND (e.at, e.id) < (@until_at::timestamptz, @until_id::uuid) AND (e.at, e.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('target_kind')::text IS NULL THEN true ELSE e.target_kind = sqlc.narg('target_kind') END
ORDER BY e.at DESC, e.id DESC LIMIT @max_rows;

-- name: ListEventsByOperations :many
-- The newest of each operation, and of them the newest.
SELECT e.* FROM (
    SELECT k.id, k.at FROM unnest(@operations::text[]) AS o (name)
    CROSS JOIN LATERAL (
        SELECT e.id, e.at FROM audit_events e
        WHERE e.operation = o.name
  AND (e.at, e.id) < (@until_at::timestamptz, @until_id::uuid) AND (e.at, e.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('target_kind')::text IS NULL THEN true ELSE e.target_kind = sqlc.narg('target_kind') END
  AND CASE WHEN sqlc.narg('outcome')::text IS NULL THEN true ELSE e.outcome = sqlc.narg('outcome') END
        ORDER BY e.at DESC, e.id DESC LIMIT @max_rows
    ) k
    ORDER BY k.at DESC, k.id DESC LIMIT @max_rows
) top
JOIN audit_events e ON e.id = top.id
ORDER BY top.at DESC, top.id DESC;

-- name: OperationNames :many
-- The operations of a trail that begin so: one step along the index for each
-- operation that there is, however many records it has.
-- @sqlc-vet-disable no-full-index-scan
WITH RECURSIVE names (operation) AS (
    (SELECT e.operation FROM audit_events e ORDER BY e.operation LIMIT 1)
    UNION ALL
    SELECT (SELECT e.operation FROM audit_events e WHERE e.operation > n.operation ORDER BY e.operation LIMIT 1)
    FROM names n WHERE n.operation IS NOT NULL
)
SELECT n.operation::text FROM names n WHERE starts_with(n.operation, @prefix::text);

-- name: ListEventsByWord :many
SELECT e.* FROM audit_words w
JOIN audit_events e ON e.id = w.id
WHERE w.word = @word::text
  AND (w.at, w.id) < (@until_at::timestamptz, @until_id::uuid) AND (w.at, w.id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('actor_id')::uuid IS NULL THEN true ELSE e.actor_id = sqlc.narg('actor_id') END
  AND CASE WHEN sqlc.narg('operation')::text IS NULL THEN true ELSE e.operation = sqlc.narg('operation') END
  AND CASE WHEN sqlc.narg('operation_prefix')::text IS NULL THEN true ELSE starts_with(e.operation, sqlc.narg('operation_prefix')) END
  AND CASE WHEN sqlc.narg('target_kind')::text IS NULL THEN true ELSE e.target_kind = sqlc.narg('target_kind') END
  AND CASE WHEN sqlc.narg('outcome')::text IS NULL THEN true ELSE e.outcome = sqlc.narg('outcome') END
  AND CASE WHEN sqlc.narg('address')::text IS NULL THEN true ELSE e.address = sqlc.narg('address') END
  AND NOT EXISTS (SELECT FROM unnest(@words::text[]) AS wanted (word) WHERE NOT EXISTS (
      SELECT FROM audit_words x WHERE x.word = wanted.word AND x.at = e.at AND x.id = e.id))
ORDER BY w.at DESC, w.id DESC LIMIT @max_rows;

-- name: InsertWords :exec
INSERT INTO audit_words (word, at, id)
SELECT unnest(@words::text[]), unnest(@ats::timestamptz[]), unnest(@ids::uuid[])
ON CONFLICT DO NOTHING;

-- name: RemoveWords :exec
DELETE FROM audit_words w
USING (SELECT unnest(@words::text[]) AS word, unnest(@ats::timestamptz[]) AS at, unnest(@ids::uuid[]) AS id) gone
WHERE w.word = gone.word AND w.at = gone.at AND w.id = gone.id;

-- name: WordCounts :many
-- How many records have each word; no more than some are counted.
SELECT o.word::text AS word, c.n::bigint AS n FROM unnest(@words::text[]) AS o (word)
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM (SELECT FROM audit_words w WHERE w.word = o.word LIMIT 1000) AS counted
) c;
