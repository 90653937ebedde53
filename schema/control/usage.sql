-- How many requests each tenant has sent, day by day.
CREATE SCHEMA IF NOT EXISTS control;

CREATE TABLE control.usage_days (
    tenant_id uuid        NOT NULL,
    day       timestamptz NOT NULL,
    answered  bigint      NOT NULL,
    limited   bigint      NOT NULL,
    failed    bigint      NOT NULL,
    CONSTRAINT usage_days_pkey PRIMARY KEY (tenant_id, day)
);
CREATE INDEX usage_days_day_idx ON control.usage_days (day);
COMMENT ON COLUMN control.usage_days.day IS 'when the day began, in UTC';

-- The last batch of counts that came from each process: one that is sent again is not added again.
CREATE TABLE control.usage_batches (
    process uuid        NOT NULL,
    batch   bigint      NOT NULL,
    sent_at timestamptz NOT NULL,
    CONSTRAINT usage_batches_pkey PRIMARY KEY (process)
);
CREATE INDEX usage_batches_sent_idx ON control.usage_batches (sent_at);
