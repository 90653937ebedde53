-- Tenants that are deleted and can still be brought back.
CREATE SCHEMA IF NOT EXISTS control;

CREATE TABLE control.deletions (
    tenant_id   uuid        NOT NULL,
    was         text        NOT NULL,
    deleted_at  timestamptz NOT NULL,
    erase_after timestamptz NOT NULL,
    CONSTRAINT deletions_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT deletions_was_check CHECK (was IN ('active', 'suspended'))
);
CREATE INDEX deletions_due_idx ON control.deletions (erase_after);
COMMENT ON COLUMN control.deletions.was IS 'the status that undelete goes back to';
COMMENT ON COLUMN control.deletions.erase_after IS 'when the grace is over and the tenant may be erased';
