-- name: GetRole :one
SELECT r.id, r.name, r.description, r.built_in, r.permissions, r.custom_permissions,
       ARRAY(SELECT p.parent_id FROM role_parents p WHERE p.role_id = r.id ORDER BY p.parent_id)::uuid[] AS parents,
       r.version, r.created_at, r.updated_at
FROM roles r
WHERE r.id = @id;

-- name: ListRoles :many
SELECT r.id, r.name, r.description, r.built_in, r.permissions, r.custom_permissions,
       ARRAY(SELECT p.parent_id FROM role_parents p WHERE p.role_id = r.id ORDER BY p.parent_id)::uuid[] AS parents,
       r.version, r.created_at, r.updated_at
FROM roles r
WHERE (r.created_at, r.id) < (@after_at::timestamptz, @after_id::uuid)
ORDER BY r.created_at DESC, r.id DESC
LIMIT @max_rows;

-- name: PolicyRoles :many
-- All roles of the tenant, of which there are few, at one version.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT r.id, r.name, r.description, r.built_in, r.permissions, r.custom_permissions,
       ARRAY(SELECT p.parent_id FROM role_parents p WHERE p.role_id = r.id ORDER BY p.parent_id)::uuid[] AS parents,
       r.version, r.created_at, r.updated_at,
       COALESCE((SELECT p.version FROM policy p WHERE p.current), 0)::bigint AS policy_version
FROM roles r;

-- name: AdvancePolicy :exec
-- The first lock of every change of what roles give.
INSERT INTO policy (current, version) VALUES (true, 1)
ON CONFLICT (current) DO UPDATE SET version = policy.version + 1;

-- name: RaisePolicy :exec
-- Goes beyond every version that anybody can have seen.
UPDATE policy
SET version = GREATEST(version + 1, @version::bigint), settings_version = GREATEST(settings_version + 1, @version::bigint)
WHERE current;

-- name: LockRole :exec
-- Keeps others from giving a role that is about to go.
SELECT id FROM roles WHERE id = @id FOR UPDATE;

-- name: InsertRole :exec
INSERT INTO roles (id, name, description, built_in, permissions, custom_permissions, version, created_at, updated_at)
VALUES (@id, @name, @description, @built_in, @permissions, @custom_permissions, 1, @created_at, @created_at);

-- name: UpdateRole :one
UPDATE roles
SET description = @description, permissions = @permissions, custom_permissions = @custom_permissions,
    version = version + 1, updated_at = @updated_at
WHERE id = @id
RETURNING version;

-- name: DeleteRole :exec
DELETE FROM roles WHERE id = @id;

-- name: AddParents :exec
INSERT INTO role_parents (role_id, parent_id)
SELECT @role_id::uuid, added.id
FROM unnest(@parent_ids::uuid[]) AS added (id)
ORDER BY added.id
ON CONFLICT DO NOTHING;

-- name: KeepParents :exec
DELETE FROM role_parents WHERE role_id = @role_id AND parent_id <> ALL(@parent_ids::uuid[]);

-- name: CopyParent :exec
INSERT INTO role_parents (role_id, parent_id)
SELECT rp.role_id, @new_id::uuid
FROM role_parents rp
WHERE rp.parent_id = @old_id
ORDER BY rp.role_id
ON CONFLICT DO NOTHING;

-- name: DropParent :exec
DELETE FROM role_parents WHERE parent_id = @parent_id;

-- name: CustomPermissions :many
-- All of the tenant's own, of which there are few.
-- @sqlc-vet-disable no-seq-scan no-full-index-scan
SELECT name, summary, owner_too, created_at FROM custom_permissions ORDER BY name;

-- name: InsertCustomPermission :exec
INSERT INTO custom_permissions (name, summary, owner_too, created_at)
VALUES (@name, @summary, @owner_too, @created_at);

-- name: DeleteCustomPermission :exec
DELETE FROM custom_permissions WHERE name = @name;
