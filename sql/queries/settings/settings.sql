-- name: StoredSettings :many
-- All that the tenant has set: a handful of rows.
-- @sqlc-vet-disable no-full-index-scan no-seq-scan
SELECT name, value, changed_at FROM settings ORDER BY name;

-- name: SettingsVersion :one
SELECT COALESCE((SELECT p.settings_version FROM policy p WHERE p.current), 0)::bigint AS version;

-- name: AdvanceSettings :one
-- Takes the next version, and keeps others from it until the transaction ends.
INSERT INTO policy (current, version, settings_version) VALUES (true, 0, 1)
ON CONFLICT (current) DO UPDATE SET settings_version = policy.settings_version + 1
RETURNING settings_version;

-- name: PutSetting :exec
INSERT INTO settings (name, value, changed_at) VALUES (@name, @value, @changed_at)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at;

-- name: RemoveSetting :exec
DELETE FROM settings WHERE name = @name;
