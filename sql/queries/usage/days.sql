-- name: AddRequests :execrows
-- Adds a batch of counts, unless it has been added before: whoever did not hear of it sends it again. Tenants that are
-- being erased, or are gone, get no rows. All processes add in one order, so that none waits for another in a circle.
WITH fresh AS (
    INSERT INTO control.usage_batches AS b (process, batch, sent_at) VALUES (@process, @batch, @sent_at)
    ON CONFLICT (process) DO UPDATE SET batch = EXCLUDED.batch, sent_at = EXCLUDED.sent_at WHERE b.batch < EXCLUDED.batch
    RETURNING b.process
)
INSERT INTO control.usage_days AS d (tenant_id, day, answered, limited, failed)
SELECT c.tenant_id, c.day, c.answered, c.limited, c.failed
FROM (
    SELECT unnest(@tenants::uuid[]) AS tenant_id, unnest(@days::timestamptz[]) AS day, unnest(@answered::bigint[]) AS answered,
           unnest(@limited::bigint[]) AS limited, unnest(@failed::bigint[]) AS failed
) AS c
WHERE EXISTS (SELECT FROM fresh) AND EXISTS (SELECT FROM control.tenants t WHERE t.id = c.tenant_id AND t.status <> 'erasing')
ORDER BY c.tenant_id, c.day
ON CONFLICT (tenant_id, day) DO UPDATE
SET answered = d.answered + EXCLUDED.answered, limited = d.limited + EXCLUDED.limited, failed = d.failed + EXCLUDED.failed;

-- name: RequestDays :many
SELECT day, answered, limited, failed FROM control.usage_days
WHERE tenant_id = @tenant_id AND day >= @from_day AND day <= @to_day ORDER BY day;

-- name: ExpireDays :execrows
DELETE FROM control.usage_days WHERE day < @before;

-- name: ExpireBatches :execrows
DELETE FROM control.usage_batches WHERE sent_at < @before;
