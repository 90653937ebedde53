-- name: ServerOf :one
-- Names the database server whose transactions the ids of records count.
SELECT system_identifier::text AS server FROM pg_control_system();

-- name: LastSeal :one
-- One step into the key's index, from its end. What the seal says of transactions counts on the server that it names.
-- @sqlc-vet-disable no-full-index-scan
SELECT s.size, s.last_xid, s.last_id, s.server, s.head, (s.server = c.system_identifier::text)::boolean AS here
FROM audit_seals s CROSS JOIN pg_control_system() AS c
ORDER BY s.size DESC LIMIT 1;

-- name: UnsealedEvents :many
-- The records behind a mark that were written by transactions older than all
-- that are running: no other can appear among them any more. Those that have a
-- number already came from another server and are passed over.
SELECT e.* FROM audit_events e
WHERE (e.xid, e.id) > (@after_xid::bigint, @after_id::uuid)
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  AND NOT EXISTS (SELECT FROM audit_leaves l WHERE l.event_id = e.id)
ORDER BY e.xid, e.id
LIMIT @max_rows;

-- name: StrandedEvents :many
-- The records that have no number, after the tenant came to another server,
-- where the ids of their transactions mean nothing: an id that this server has
-- not given yet is from elsewhere, and whoever had it has ended.
-- @sqlc-vet-disable no-full-index-scan
SELECT e.* FROM audit_events e
WHERE NOT EXISTS (SELECT FROM audit_leaves l WHERE l.event_id = e.id)
  AND (e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
       OR e.xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
ORDER BY e.at, e.id
LIMIT @max_rows;

-- name: InsertSeal :execrows
-- Of two that seal at the same time one adds nothing.
INSERT INTO audit_seals (size, first, first_hash, hashes, head, at, last_xid, last_id, server)
VALUES (@size, @first, @first_hash, @hashes, @head, @at, @last_xid, @last_id, @server)
ON CONFLICT DO NOTHING;

-- name: InsertLeaves :exec
INSERT INTO audit_leaves (number, event_id)
SELECT sqlc.arg('first')::bigint + (t.place - 1), t.event_id
FROM unnest(@event_ids::uuid[]) WITH ORDINALITY AS t (event_id, place);

-- name: StoredHashes :many
-- Hashes of the tree by their places.
SELECT p.position::bigint AS position, s.hash::bytea AS hash
FROM unnest(@positions::bigint[]) AS p (position)
CROSS JOIN LATERAL (
    SELECT substring(x.hashes FROM ((p.position - x.first_hash) * 32 + 1)::integer FOR 32) AS hash
    FROM audit_seals x WHERE x.first_hash <= p.position ORDER BY x.first_hash DESC LIMIT 1
) s;

-- name: SealsAfter :many
SELECT size, first, hashes, head, at, last_xid, last_id FROM audit_seals
WHERE size > @size::bigint ORDER BY size LIMIT @max_rows;

-- name: SealOfSize :one
SELECT size, first, hashes, head, at, last_xid, last_id FROM audit_seals WHERE size = @size;

-- name: SealedEvents :many
-- Sealed records by their numbers; those that are gone are left out.
SELECT l.number, sqlc.embed(e) FROM audit_leaves l
JOIN audit_events e ON e.id = l.event_id
WHERE l.number >= @from_number::bigint AND l.number < @to_number::bigint
ORDER BY l.number;

-- name: LeavesBetween :many
SELECT number, event_id FROM audit_leaves
WHERE number >= @from_number::bigint AND number < @to_number::bigint ORDER BY number;

-- name: NumberOf :one
SELECT number FROM audit_leaves WHERE event_id = @event_id;

-- name: FirstNumber :one
-- One step into the key's index, from its beginning.
-- @sqlc-vet-disable no-full-index-scan
SELECT number FROM audit_leaves ORDER BY number LIMIT 1;

-- name: EventBehindSeals :one
-- A record that is older than what was sealed last and has no number: nobody
-- can have written it since, but somebody may have put it there.
SELECT e.id FROM audit_events e
WHERE (e.xid, e.id) <= (@last_xid::bigint, @last_id::uuid)
  AND NOT EXISTS (SELECT FROM audit_leaves l WHERE l.event_id = e.id)
ORDER BY e.xid, e.id
LIMIT 1;

-- name: CountUnsealed :one
SELECT count(*) FROM audit_events e
WHERE (e.xid, e.id) > (@last_xid::bigint, @last_id::uuid)
  AND NOT EXISTS (SELECT FROM audit_leaves l WHERE l.event_id = e.id);

-- name: EventsBehind :many
-- Records behind a mark in the order in which they are sealed, and their
-- numbers if they got one of these since.
SELECT l.number, sqlc.embed(e) FROM audit_events e
LEFT JOIN audit_leaves l ON l.event_id = e.id
WHERE (e.xid, e.id) > (@after_xid::bigint, @after_id::uuid)
  AND (l.number IS NULL OR l.number >= @from_number::bigint)
ORDER BY e.xid, e.id
LIMIT @max_rows;

-- name: RemoveEvents :execrows
DELETE FROM audit_events WHERE id = ANY(@ids::uuid[]);

-- name: RemoveLeaves :execrows
DELETE FROM audit_leaves WHERE number >= @from_number::bigint AND number < @to_number::bigint;

-- name: SettledEvents :many
-- Records behind a mark that no other can come between, sealed or not.
SELECT e.* FROM audit_events e
WHERE (e.xid, e.id) > (@after_xid::bigint, @after_id::uuid)
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY e.xid, e.id
LIMIT @max_rows;

-- name: LastSettled :one
SELECT e.xid, e.id FROM audit_events e
WHERE e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY e.xid DESC, e.id DESC LIMIT 1;
