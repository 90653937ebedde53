-- Searches. There is one statement for each filter that an index leads to, in
-- the order of that index; the filters that can come beside it thin out what it
-- finds. The ends of the range are always bound, and optional filters stand in
-- CASE: so the server expects many files, keeps to the index and stops at the
-- limit, whatever the values are. What is listed is neither an earlier version
-- nor deleted, as the indexes have it; ListFilesByStatus alone has the deleted,
-- earlier versions among them: they take up room.

-- name: ListFiles :many
-- The newest first.
SELECT * FROM files
WHERE superseded_at IS NULL AND status <> 'deleted'
  AND (created_at, id) < (@until_at::timestamptz, @until_id::uuid) AND (created_at, id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('type_prefix')::text IS NULL THEN true ELSE starts_with(content_type, sqlc.narg('type_prefix')) END
  AND CASE WHEN @sized::boolean THEN size BETWEEN @min_size::bigint AND @max_size::bigint ELSE true END
  AND CASE WHEN sqlc.narg('status')::text IS NULL THEN true ELSE status = sqlc.narg('status') END
ORDER BY created_at DESC, id DESC LIMIT @max_items;

-- name: ListFilesByPath :many
-- Of one folder or of all below one, by folder and name.
SELECT * FROM files
WHERE superseded_at IS NULL AND status <> 'deleted'
  AND (folder, name, id) > (@after_folder::text, @after_name::text, @after_id::uuid) AND (folder, name) < (@end_folder::text, @end_name::text)
  AND CASE WHEN sqlc.narg('type_prefix')::text IS NULL THEN true ELSE starts_with(content_type, sqlc.narg('type_prefix')) END
  AND CASE WHEN sqlc.narg('owner_id')::uuid IS NULL THEN true ELSE owner_id = sqlc.narg('owner_id') END
  AND CASE WHEN @sized::boolean THEN size BETWEEN @min_size::bigint AND @max_size::bigint ELSE true END
  AND CASE WHEN @timed::boolean THEN created_at >= @from_at::timestamptz AND created_at < @to_at::timestamptz ELSE true END
  AND CASE WHEN sqlc.narg('status')::text IS NULL THEN true ELSE status = sqlc.narg('status') END
ORDER BY folder, name, id LIMIT @max_items;

-- name: ListFilesByName :many
-- Of one beginning of names, by name.
SELECT * FROM files
WHERE superseded_at IS NULL AND status <> 'deleted'
  AND (name, id) > (@after_name::text, @after_id::uuid) AND name < @end_name::text
  AND CASE WHEN sqlc.narg('below')::text IS NULL THEN true ELSE starts_with(folder, sqlc.narg('below')) END
  AND CASE WHEN sqlc.narg('type_prefix')::text IS NULL THEN true ELSE starts_with(content_type, sqlc.narg('type_prefix')) END
  AND CASE WHEN sqlc.narg('owner_id')::uuid IS NULL THEN true ELSE owner_id = sqlc.narg('owner_id') END
  AND CASE WHEN @sized::boolean THEN size BETWEEN @min_size::bigint AND @max_size::bigint ELSE true END
  AND CASE WHEN @timed::boolean THEN created_at >= @from_at::timestamptz AND created_at < @to_at::timestamptz ELSE true END
  AND CASE WHEN sqlc.narg('status')::text IS NULL THEN true ELSE status = sqlc.narg('status') END
ORDER BY name, id LIMIT @max_items;

-- name: ListFilesByOwner :many
-- Of one owner, the newest first.
SELECT * FROM files
WHERE superseded_at IS NULL AND status <> 'deleted'
  AND owner_id = @owner_id::uuid
  AND (created_at, id) < (@until_at::timestamptz, @until_id::uuid) AND (created_at, id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('type_prefix')::text IS NULL THEN true ELSE starts_with(content_type, sqlc.narg('type_prefix')) END
  AND CASE WHEN @sized::boolean THEN size BETWEEN @min_size::bigint AND @max_size::bigint ELSE true END
  AND CASE WHEN sqlc.narg('status')::text IS NULL THEN true ELSE status = sqlc.narg('status') END
ORDER BY created_at DESC, id DESC LIMIT @max_items;

-- name: ListFilesBySize :many
-- The largest first.
SELECT * FROM files
WHERE superseded_at IS NULL AND status <> 'deleted'
  AND (size, id) < (@until_size::bigint, @until_id::uuid) AND size >= @min_size::bigint
  AND CASE WHEN @timed::boolean THEN created_at >= @from_at::timestamptz AND created_at < @to_at::timestamptz ELSE true END
  AND CASE WHEN sqlc.narg('status')::text IS NULL THEN true ELSE status = sqlc.narg('status') END
ORDER BY size DESC, id DESC LIMIT @max_items;

-- name: ListFilesByStatus :many
-- Of a status that is not ready, the newest first.
SELECT * FROM files
WHERE status <> 'ready' AND status = @status::text AND (superseded_at IS NULL OR status = 'deleted')
  AND (created_at, id) < (@until_at::timestamptz, @until_id::uuid) AND (created_at, id) >= (@from_at::timestamptz, @from_id::uuid)
  AND CASE WHEN sqlc.narg('folder')::text IS NULL THEN true ELSE folder = sqlc.narg('folder') END
  AND CASE WHEN sqlc.narg('below')::text IS NULL THEN true ELSE starts_with(folder, sqlc.narg('below')) END
  AND CASE WHEN sqlc.narg('name_prefix')::text IS NULL THEN true ELSE starts_with(name, sqlc.narg('name_prefix')) END
  AND CASE WHEN sqlc.narg('type_prefix')::text IS NULL THEN true ELSE starts_with(content_type, sqlc.narg('type_prefix')) END
  AND CASE WHEN sqlc.narg('owner_id')::uuid IS NULL THEN true ELSE owner_id = sqlc.narg('owner_id') END
  AND CASE WHEN @sized::boolean THEN size BETWEEN @min_size::bigint AND @max_size::bigint ELSE true END
ORDER BY created_at DESC, id DESC LIMIT @max_items;

-- name: ListFilesByTypes :many
-- The newest of each type, and of them the newest.
SELECT f.* FROM (
    SELECT k.id, k.created_at FROM unnest(@types::text[]) AS t (name)
    CROSS JOIN LATERAL (
        SELECT id, created_at FROM files
        WHERE superseded_at IS NULL AND status <> 'deleted' AND content_type = t.name
        AND (created_at, id) < (@until_at::timestamptz, @until_id::uuid) AND (created_at, id) >= (@from_at::timestamptz, @from_id::uuid)
        AND CASE WHEN @sized::boolean THEN size BETWEEN @min_size::bigint AND @max_size::bigint ELSE true END
        AND CASE WHEN sqlc.narg('status')::text IS NULL THEN true ELSE status = sqlc.narg('status') END
        ORDER BY created_at DESC, id DESC LIMIT @max_items
    ) k
    ORDER BY k.created_at DESC, k.id DESC LIMIT @max_items
) top
JOIN files f ON f.id = top.id
ORDER BY top.created_at DESC, top.id DESC;

-- name: FileTypes :many
-- The content types that there are between two texts: one step along the index
-- for each, however many files have it.
WITH RECURSIVE types (name) AS (
    (SELECT content_type FROM files
     WHERE superseded_at IS NULL AND status <> 'deleted' AND content_type >= @first::text AND content_type < @ending::text
     ORDER BY content_type LIMIT 1)
    UNION ALL
    SELECT (SELECT f.content_type FROM files f
            WHERE f.superseded_at IS NULL AND f.status <> 'deleted' AND f.content_type > t.name AND f.content_type < @ending::text
            ORDER BY f.content_type LIMIT 1)
    FROM types t WHERE t.name IS NOT NULL
)
SELECT name::text FROM types WHERE name IS NOT NULL LIMIT @max_types;

-- name: ListFolders :many
-- The folders right inside one, by name: one step along the index for each,
-- however many files are below it. A zero follows the slash in the order of
-- characters, so it is behind all that is below a folder.
WITH RECURSIVE inside (path) AS (
    (SELECT @parent::text || split_part(substr(folder, length(@parent::text) + 1), '/', 1) FROM files
     WHERE superseded_at IS NULL AND status <> 'deleted' AND folder > @after::text AND folder < @ending::text
     ORDER BY folder LIMIT 1)
    UNION ALL
    SELECT (SELECT @parent::text || split_part(substr(f.folder, length(@parent::text) + 1), '/', 1) FROM files f
            WHERE f.superseded_at IS NULL AND f.status <> 'deleted' AND f.folder >= i.path || '0' AND f.folder < @ending::text
            ORDER BY f.folder LIMIT 1)
    FROM inside i WHERE i.path IS NOT NULL
)
SELECT (path || '/')::text AS path FROM inside WHERE path IS NOT NULL LIMIT @max_items;
