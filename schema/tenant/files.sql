-- Files of one tenant: what is known of them. The bytes are in S3.
--
-- A row is one content that was declared, and never gets another. Contents
-- that came to the same name one after the other form a line: the newest is
-- the file, those before it are its earlier versions.
CREATE TABLE files (
    id            uuid        NOT NULL,
    line_id       uuid        NOT NULL,
    folder        text        NOT NULL COLLATE "C",
    name          text        NOT NULL COLLATE "C",
    size          bigint      NOT NULL,
    content_type  text        NOT NULL COLLATE "C",
    sha256        bytea,
    status        text        NOT NULL,
    reason        text        NOT NULL,
    object_id     uuid,
    metadata      jsonb       NOT NULL,
    owner_id      uuid        NOT NULL,
    version       bigint      NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    superseded_at timestamptz,
    deleted_at    timestamptz,
    CONSTRAINT files_pkey PRIMARY KEY (id),
    CONSTRAINT files_size_check CHECK (size >= 0),
    CONSTRAINT files_status_check CHECK (status IN ('pending', 'scanning', 'ready', 'quarantined', 'deleted')),
    CONSTRAINT files_content_check CHECK (status = 'pending' OR object_id IS NOT NULL),
    CONSTRAINT files_ready_check CHECK (status <> 'ready' OR sha256 IS NOT NULL),
    CONSTRAINT files_deleted_check CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
);
CREATE UNIQUE INDEX files_current_key ON files (folder, name) WHERE status = 'ready' AND superseded_at IS NULL;
CREATE UNIQUE INDEX files_object_key ON files (object_id);
CREATE INDEX files_created_idx ON files (created_at DESC, id DESC) WHERE superseded_at IS NULL AND status <> 'deleted';
CREATE INDEX files_path_idx ON files (folder, name, id) WHERE superseded_at IS NULL AND status <> 'deleted';
CREATE INDEX files_name_idx ON files (name, id) WHERE superseded_at IS NULL AND status <> 'deleted';
CREATE INDEX files_owner_idx ON files (owner_id, created_at DESC, id DESC) WHERE superseded_at IS NULL AND status <> 'deleted';
CREATE INDEX files_type_idx ON files (content_type, created_at DESC, id DESC) WHERE superseded_at IS NULL AND status <> 'deleted';
CREATE INDEX files_size_idx ON files (size DESC, id DESC) WHERE superseded_at IS NULL AND status <> 'deleted';
CREATE INDEX files_status_idx ON files (status, created_at DESC, id DESC) WHERE status <> 'ready';
CREATE INDEX files_line_idx ON files (line_id, created_at DESC, id DESC);
CREATE INDEX files_deleted_idx ON files (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX files_scanning_idx ON files (updated_at, id) WHERE status = 'scanning';
COMMENT ON COLUMN files.folder IS 'empty, or folder names that each end in a slash';
COMMENT ON COLUMN files.object_id IS 'names the bytes in S3: each upload writes an object of its own, and the one that counts is named here';
COMMENT ON COLUMN files.reason IS 'why content was refused or kept away; an error code, or what a scanner found';
COMMENT ON COLUMN files.superseded_at IS 'when a newer version took the name';

-- Contents that are on their way.
CREATE TABLE file_uploads (
    file_id      uuid        NOT NULL,
    object_id    uuid        NOT NULL,
    method       text        NOT NULL,
    part_size    bigint      NOT NULL,
    multipart_id text        NOT NULL,
    sha256       bytea,
    expires_at   timestamptz NOT NULL,
    replaces     boolean     NOT NULL,
    CONSTRAINT file_uploads_pkey PRIMARY KEY (file_id),
    CONSTRAINT file_uploads_file_id_fkey FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE,
    CONSTRAINT file_uploads_method_check CHECK (method IN ('put', 'multipart', 'content'))
);
CREATE UNIQUE INDEX file_uploads_object_key ON file_uploads (object_id);
CREATE INDEX file_uploads_expires_idx ON file_uploads (expires_at, file_id);
COMMENT ON COLUMN file_uploads.sha256 IS 'as declared by the client; null when it was not';
COMMENT ON COLUMN file_uploads.replaces IS 'whether its sender may put it in the place of somebody else''s file';

-- What the tenant's files take up: one row, which also orders changes that
-- touch several files.
CREATE TABLE file_usage (
    scope text   NOT NULL,
    bytes bigint NOT NULL,
    files bigint NOT NULL,
    CONSTRAINT file_usage_pkey PRIMARY KEY (scope),
    CONSTRAINT file_usage_bytes_check CHECK (bytes >= 0),
    CONSTRAINT file_usage_files_check CHECK (files >= 0)
);

-- Links by which people without an account read one file.
CREATE TABLE file_shares (
    id         uuid        NOT NULL,
    file_id    uuid        NOT NULL,
    token_hash bytea       NOT NULL,
    single_use boolean     NOT NULL,
    opened     bigint      NOT NULL,
    created_by uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT file_shares_pkey PRIMARY KEY (id),
    CONSTRAINT file_shares_file_id_fkey FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE,
    CONSTRAINT file_shares_opened_check CHECK (opened >= 0)
);
CREATE UNIQUE INDEX file_shares_token_key ON file_shares (token_hash);
CREATE INDEX file_shares_file_idx ON file_shares (file_id, created_at DESC, id DESC);
COMMENT ON TABLE file_shares IS 'own';
