-- Tenants that are being erased, and what is left to say of those that were.
CREATE SCHEMA IF NOT EXISTS control;

-- One row from the moment a tenant can no longer be brought back until the last look at its objects. What it held is
-- counted once, before anything is removed, so that a crash in between does not change what the receipt says.
CREATE TABLE control.erasures (
    tenant_id      uuid        NOT NULL,
    operation_id   uuid        NOT NULL,
    slug           text        NOT NULL,
    schema_name    text        NOT NULL,
    placement      text        NOT NULL,
    state          text        NOT NULL,
    tables         bigint      NOT NULL,
    row_count      bigint      NOT NULL,
    database_bytes bigint      NOT NULL,
    objects        bigint      NOT NULL,
    object_bytes   bigint      NOT NULL,
    jobs           bigint      NOT NULL,
    control_rows   bigint      NOT NULL,
    begun_at       timestamptz NOT NULL,
    look_again_at  timestamptz,
    CONSTRAINT erasures_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT erasures_state_check CHECK (state IN ('begun', 'counted', 'erased')),
    CONSTRAINT erasures_look_check CHECK ((state = 'erased') = (look_again_at IS NOT NULL))
);
COMMENT ON COLUMN control.erasures.look_again_at IS 'when every link to store an object that was handed out before is over';

-- What was erased, signed with a key of the installation. It says nothing of what the tenant held but how much.
CREATE TABLE control.erasure_receipts (
    tenant_id uuid        NOT NULL,
    slug      text        NOT NULL,
    erased_at timestamptz NOT NULL,
    receipt   text        NOT NULL,
    CONSTRAINT erasure_receipts_pkey PRIMARY KEY (tenant_id)
);
CREATE INDEX erasure_receipts_erased_idx ON control.erasure_receipts (erased_at DESC, tenant_id DESC);
COMMENT ON COLUMN control.erasure_receipts.receipt IS 'a signed note';
