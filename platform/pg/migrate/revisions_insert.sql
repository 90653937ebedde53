-- type 2 means executed; execution_time is in nanoseconds.
INSERT INTO {history} (version, description, type, applied, total, executed_at, execution_time, hash, operator_version)
VALUES ($1, $2, 2, $3, $3, $4, (extract(epoch FROM clock_timestamp() - $4) * 1000000000)::bigint, $5, $6)
RETURNING clock_timestamp()
