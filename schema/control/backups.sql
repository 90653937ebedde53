-- Archives of tenants, and the long work of making them and of making tenants of them.
CREATE SCHEMA IF NOT EXISTS control;

-- An archive goes with the erasure of its tenant, which takes it out of the store first: no foreign key ties them.
CREATE TABLE control.backups (
    id             uuid        NOT NULL,
    tenant_id      uuid        NOT NULL,
    slug           text        NOT NULL,
    name           text        NOT NULL,
    admin_email    text        NOT NULL,
    status         text        NOT NULL,
    reason         text        NOT NULL,
    object_id      uuid        NOT NULL,
    schema_version bigint      NOT NULL,
    row_count      bigint      NOT NULL,
    file_count     bigint      NOT NULL,
    file_bytes     bigint      NOT NULL,
    size           bigint      NOT NULL,
    sha256         text        NOT NULL,
    snapshot_at    timestamptz,
    version        bigint      NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT backups_pkey PRIMARY KEY (id),
    CONSTRAINT backups_status_check CHECK (status IN ('running', 'complete', 'failed', 'deleting')),
    CONSTRAINT backups_reason_check CHECK (reason IN ('request', 'schedule')),
    CONSTRAINT backups_complete_check CHECK (status <> 'complete' OR snapshot_at IS NOT NULL)
);
CREATE INDEX backups_tenant_idx ON control.backups (tenant_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX backups_running_key ON control.backups (tenant_id) WHERE status = 'running';
CREATE INDEX backups_deleting_idx ON control.backups (id) WHERE status = 'deleting';
COMMENT ON COLUMN control.backups.object_id IS 'names the archive in S3: each attempt writes one of its own';
COMMENT ON COLUMN control.backups.size IS 'of the archive, in bytes';
COMMENT ON COLUMN control.backups.snapshot_at IS 'the instant that all rows of the archive are of; null until it is complete';

-- What a long operation that copies a tenant must know to go on after a crash, or to undo what it has done. A placement
-- in which a copy makes a schema has a row of it, too, while it does: of that, operation_id, target_id and attempts count.
CREATE TABLE control.copies (
    operation_id uuid    NOT NULL,
    kind         text    NOT NULL,
    step         text    NOT NULL,
    backup_id    uuid,
    source_id    uuid    NOT NULL,
    target_id    uuid    NOT NULL,
    schema_name  text    NOT NULL,
    old_schema   text    NOT NULL,
    attempts     integer NOT NULL,
    from_placement text  NOT NULL,
    to_placement text    NOT NULL,
    state        jsonb,
    CONSTRAINT copies_pkey PRIMARY KEY (operation_id),
    CONSTRAINT copies_kind_check CHECK (kind IN ('backup', 'restore', 'replace', 'clone', 'move')),
    CONSTRAINT copies_step_check CHECK (step IN ('copying', 'cleaning', 'undoing', 'over'))
);
CREATE UNIQUE INDEX copies_target_key ON control.copies (target_id) WHERE step <> 'over' AND kind <> 'backup';
CREATE INDEX copies_open_idx ON control.copies (operation_id) WHERE step <> 'over';
CREATE INDEX copies_source_idx ON control.copies (source_id) WHERE step <> 'over';
CREATE INDEX copies_backup_idx ON control.copies (backup_id) WHERE step <> 'over';
COMMENT ON COLUMN control.copies.source_id IS 'the tenant whose rows they are';
COMMENT ON COLUMN control.copies.target_id IS 'the tenant that gets them; for a backup the same as source_id';
COMMENT ON COLUMN control.copies.schema_name IS 'the schema that is being made, another one by each attempt; empty for a backup';
COMMENT ON COLUMN control.copies.attempts IS 'who works on it: only the last to begin may change what it has become';
COMMENT ON COLUMN control.copies.from_placement IS 'the placement that a move leaves; otherwise empty';
COMMENT ON COLUMN control.copies.to_placement IS 'the placement in which the schema is made; empty for a backup';
COMMENT ON COLUMN control.copies.state IS 'how far a move has come';
COMMENT ON COLUMN control.copies.old_schema IS 'the schema that it takes the place of; empty when there is none';

-- What moves that were given up have left in placements that did not answer: it is removed when they answer again.
CREATE TABLE control.remains (
    id          uuid        NOT NULL,
    tenant_id   uuid        NOT NULL,
    placement   text        NOT NULL,
    schema_name text        NOT NULL,
    noted_at    timestamptz NOT NULL,
    CONSTRAINT remains_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX remains_placement_key ON control.remains (placement, tenant_id, schema_name);
COMMENT ON TABLE control.remains IS 'outlives its tenant: the rows of one that is erased are there until they are removed';
COMMENT ON COLUMN control.remains.schema_name IS 'of the tenant; there it may be called so, or moved_ and so';
