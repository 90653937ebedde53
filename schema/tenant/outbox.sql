-- Background work that waits to be handed to the job queue. A row is there
-- exactly if the change that asks for the work is.
CREATE TABLE outbox (
    id         uuid        NOT NULL,
    operation  text        NOT NULL,
    args       jsonb       NOT NULL,
    run_at     timestamptz NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE outbox IS 'passing';
