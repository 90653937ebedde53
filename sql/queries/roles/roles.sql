-- name: GetRole :one
SELECT id, name, description, built_in, permissions, version, created_at, updated_at
FROM roles
WHERE id = @id;

-- name: ListRoles :many
SELECT id, name, description, built_in, permissions, version, created_at, updated_at
FROM roles
WHERE (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
ORDER BY created_at DESC, id DESC
LIMIT @max_rows;

-- name: InsertRole :exec
INSERT INTO roles (id, name, description, built_in, permissions, version, created_at, updated_at)
VALUES (@id, @name, @description, @built_in, @permissions, 1, @created_at, @created_at);

-- name: RolesNamed :many
SELECT id, name, description, built_in, permissions, version, created_at, updated_at
FROM roles
WHERE name = ANY(@names::text[])
ORDER BY name;
