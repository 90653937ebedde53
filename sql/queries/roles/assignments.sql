-- name: RolesOfUser :many
-- What a user's grants are made of.
SELECT r.id, r.name, r.description, r.built_in, r.permissions, r.version, r.created_at, r.updated_at
FROM user_roles ur
JOIN roles r ON r.id = ur.role_id
WHERE ur.user_id = @user_id
ORDER BY r.name;

-- name: RolesOfUsers :many
SELECT ur.user_id, r.name
FROM user_roles ur
JOIN roles r ON r.id = ur.role_id
WHERE ur.user_id = ANY(@user_ids::uuid[])
ORDER BY ur.user_id, r.name;

-- name: LockRolesOfUser :many
-- The first lock of every change of assignments.
SELECT r.id, r.name, r.description, r.built_in, r.permissions, r.version, r.created_at, r.updated_at
FROM user_roles ur
JOIN roles r ON r.id = ur.role_id
WHERE ur.user_id = @user_id
ORDER BY ur.role_id
FOR UPDATE OF ur;

-- name: LockRoleNamed :one
-- The second lock: whoever takes this role from somebody waits here. It does
-- not keep others from giving it.
SELECT id
FROM roles
WHERE name = @name
FOR NO KEY UPDATE;

-- name: OthersWithRole :many
SELECT user_id FROM user_roles WHERE role_id = @role_id AND user_id <> @user_id ORDER BY user_id;

-- name: AddRoles :exec
INSERT INTO user_roles (user_id, role_id)
SELECT @user_id::uuid, added.id
FROM unnest(@role_ids::uuid[]) AS added (id)
ORDER BY added.id
ON CONFLICT DO NOTHING;

-- name: RemoveRoles :exec
DELETE FROM user_roles
WHERE user_id = @user_id AND role_id = ANY(@role_ids::uuid[]);
