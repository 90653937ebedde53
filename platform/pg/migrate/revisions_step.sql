-- One more statement has run; execution_time is in nanoseconds.
UPDATE {history}
SET applied = $2, execution_time = (extract(epoch FROM clock_timestamp() - executed_at) * 1000000000)::bigint
WHERE version = $1
