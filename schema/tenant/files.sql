-- Files of one tenant: what is known of them. The bytes are in S3.
CREATE TABLE files (
    id           uuid        NOT NULL,
    name         text        NOT NULL,
    size         bigint      NOT NULL,
    content_type text        NOT NULL,
    sha256       bytea,
    status       text        NOT NULL,
    owner_id     uuid        NOT NULL,
    version      bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT files_pkey PRIMARY KEY (id),
    CONSTRAINT files_size_check CHECK (size >= 0),
    CONSTRAINT files_status_check CHECK (status IN ('pending', 'scanning', 'ready', 'quarantined', 'deleted'))
);
CREATE INDEX files_created_idx ON files (created_at DESC, id DESC);
