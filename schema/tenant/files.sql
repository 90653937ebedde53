-- Files of one tenant: what is known of them. The bytes are in S3.
CREATE TABLE files (
    id           uuid        NOT NULL,
    name         text        NOT NULL,
    size         bigint      NOT NULL,
    content_type text        NOT NULL,
    sha256       bytea,
    status       text        NOT NULL,
    object_id    uuid,
    owner_id     uuid        NOT NULL,
    version      bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT files_pkey PRIMARY KEY (id),
    CONSTRAINT files_size_check CHECK (size >= 0),
    CONSTRAINT files_status_check CHECK (status IN ('pending', 'scanning', 'ready', 'quarantined', 'deleted')),
    CONSTRAINT files_content_check CHECK (status <> 'ready' OR (object_id IS NOT NULL AND sha256 IS NOT NULL))
);
CREATE INDEX files_created_idx ON files (created_at DESC, id DESC);
COMMENT ON COLUMN files.object_id IS 'names the bytes in S3: each upload writes an object of its own, and the one that counts is named here';
