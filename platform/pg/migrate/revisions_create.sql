-- The columns, types and defaults are those of the official Atlas command line.
CREATE TABLE {history} (
    version          varchar     NOT NULL,
    description      varchar     NOT NULL,
    type             bigint      NOT NULL DEFAULT 2,
    applied          bigint      NOT NULL DEFAULT 0,
    total            bigint      NOT NULL DEFAULT 0,
    executed_at      timestamptz NOT NULL,
    execution_time   bigint      NOT NULL,
    error            text        NULL,
    error_stmt       text        NULL,
    hash             varchar     NOT NULL,
    partial_hashes   jsonb       NULL,
    operator_version varchar     NOT NULL,
    CONSTRAINT atlas_schema_revisions_pkey PRIMARY KEY (version)
)
