-- name: HoldingsOfUser :many
-- What a user's grants are made of.
SELECT role_id, expires_at
FROM user_roles
WHERE user_id = @user_id AND (expires_at IS NULL OR expires_at > @now::timestamptz);

-- name: HoldingsOfUsers :many
SELECT user_id, role_id, expires_at
FROM user_roles
WHERE user_id = ANY(@user_ids::uuid[]) AND (expires_at IS NULL OR expires_at > @now::timestamptz);

-- name: RolesOfUsers :many
SELECT ur.user_id, r.name, ur.expires_at
FROM user_roles ur
JOIN roles r ON r.id = ur.role_id
WHERE ur.user_id = ANY(@user_ids::uuid[]) AND (ur.expires_at IS NULL OR ur.expires_at > @now::timestamptz)
ORDER BY ur.user_id, r.name;

-- name: LockHoldingsOfUser :many
-- The second lock of every change of assignments. What has ended is shown too.
SELECT role_id, expires_at
FROM user_roles
WHERE user_id = @user_id
ORDER BY role_id
FOR UPDATE;

-- name: LockRoleNamed :one
-- Of the owner role: the first lock of every change of assignments, where they
-- queue. It does not keep others from giving the role to a first user.
SELECT id
FROM roles
WHERE name = @name
FOR NO KEY UPDATE;

-- name: OthersWithRole :many
-- Those who have a role for good.
SELECT user_id
FROM user_roles
WHERE role_id = @role_id AND user_id <> @user_id AND expires_at IS NULL
ORDER BY user_id;

-- name: AddRoles :exec
-- Gives roles that all end at once, or never.
INSERT INTO user_roles (user_id, role_id, expires_at)
SELECT @user_id::uuid, added.id, sqlc.narg(expires_at)::timestamptz
FROM unnest(@role_ids::uuid[]) AS added (id)
ORDER BY added.id
ON CONFLICT (user_id, role_id) DO UPDATE SET expires_at = excluded.expires_at;

-- name: RemoveRoles :exec
DELETE FROM user_roles
WHERE user_id = @user_id AND role_id = ANY(@role_ids::uuid[]);

-- name: DropEnded :exec
DELETE FROM user_roles WHERE role_id = @role_id AND expires_at <= @now::timestamptz;

-- name: CopyAssignments :exec
-- Who has both roles has the new one until the later end.
INSERT INTO user_roles (user_id, role_id, expires_at)
SELECT ur.user_id, @new_id::uuid, ur.expires_at
FROM user_roles ur
WHERE ur.role_id = @old_id
ORDER BY ur.user_id
ON CONFLICT (user_id, role_id) DO UPDATE SET expires_at = CASE
    WHEN user_roles.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
    ELSE GREATEST(user_roles.expires_at, excluded.expires_at)
END;

-- name: DropAssignments :exec
DELETE FROM user_roles WHERE role_id = @role_id;

-- name: HoldersOfRole :many
SELECT ur.user_id
FROM user_roles ur
JOIN roles r ON r.id = ur.role_id
WHERE r.name = @name AND (ur.expires_at IS NULL OR ur.expires_at > @now::timestamptz);
