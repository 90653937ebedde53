-- name: ExpiredUploads :many
-- Uploads whose time is over, by that time. The keyset begins behind
-- everything that was looked at before.
SELECT file_id, expires_at FROM file_uploads
WHERE (expires_at, file_id) > (@after_at::timestamptz, @after_id::uuid)
  AND expires_at < @before::timestamptz
ORDER BY expires_at, file_id
LIMIT @max_items;

-- name: ExpiredDeletions :many
SELECT id, deleted_at FROM files
WHERE (deleted_at, id) > (@after_at::timestamptz, @after_id::uuid)
  AND deleted_at < @before::timestamptz
ORDER BY deleted_at, id
LIMIT @max_items;

-- name: StuckFiles :many
SELECT id, updated_at FROM files
WHERE status = 'scanning'
  AND (updated_at, id) > (@after_at::timestamptz, @after_id::uuid)
  AND updated_at < @before::timestamptz
ORDER BY updated_at, id
LIMIT @max_items;

-- name: NamedObjects :many
-- Objects that files name, in the order in which the store lists them.
SELECT id, object_id::uuid AS object_id, (status = 'quarantined' AND reason = @lost_reason::text)::boolean AS lost FROM files
WHERE object_id > @after::uuid
ORDER BY object_id
LIMIT @max_items;

-- name: ObjectIsNamed :one
SELECT EXISTS (SELECT 1 FROM files f WHERE f.object_id = @object_id::uuid)
    OR EXISTS (SELECT 1 FROM file_uploads u WHERE u.object_id = @object_id::uuid) AS named;

-- name: MultipartIsNamed :one
SELECT EXISTS (SELECT 1 FROM file_uploads WHERE object_id = @object_id AND multipart_id = @multipart_id) AS named;
