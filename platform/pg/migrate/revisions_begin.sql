-- A migration outside a transaction is recorded before it runs. Interrupted before its first statement, it may have
-- been edited since.
INSERT INTO {history} AS h (version, description, type, applied, total, executed_at, execution_time, hash, operator_version)
VALUES ($1, $2, 2, 0, $3, clock_timestamp(), 0, $4, $5)
ON CONFLICT (version) DO UPDATE SET total = excluded.total, hash = excluded.hash
RETURNING h.applied
