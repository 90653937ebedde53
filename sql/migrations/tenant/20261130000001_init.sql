-- The trail of one tenant. Rows are added and read, never changed: the
-- comment on the table takes the other rights from the tenant's role.
CREATE TABLE audit_events (
    id           uuid        NOT NULL,
    at           timestamptz NOT NULL,
    operation    text        NOT NULL,
    outcome      text        NOT NULL,
    code         text        NOT NULL,
    rule         text        NOT NULL,
    actor_kind   text        NOT NULL,
    actor_id     uuid,
    actor_label  text        NOT NULL,
    session_id   uuid,
    target_kind  text        NOT NULL,
    target_id    text        NOT NULL,
    target_label text        NOT NULL,
    before       jsonb,
    after        jsonb,
    request_id   text        NOT NULL,
    address      text        NOT NULL,
    client       text        NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_outcome_check CHECK (outcome IN ('done', 'denied', 'failed'))
);
CREATE INDEX audit_events_at_idx ON audit_events (at DESC, id DESC);
CREATE INDEX audit_events_actor_idx ON audit_events (actor_id, at DESC, id DESC);
CREATE INDEX audit_events_target_idx ON audit_events (target_kind, target_id, at DESC, id DESC);
COMMENT ON TABLE audit_events IS 'append-only';
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
-- Answers of operations that a client may send again (Idempotency-Key).
CREATE TABLE idempotency_keys (
    caller_id   uuid        NOT NULL,
    key         text        NOT NULL,
    fingerprint bytea       NOT NULL,
    result      jsonb,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller_id, key)
);
CREATE INDEX idempotency_keys_expires_idx ON idempotency_keys (expires_at);
-- Roles of one tenant and who has them. What a built-in role holds is known
-- to the binary, not to the table.
CREATE TABLE roles (
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    description text        NOT NULL,
    built_in    boolean     NOT NULL,
    permissions text[]      NOT NULL,
    version     bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT roles_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX roles_name_key ON roles (name);
CREATE INDEX roles_created_idx ON roles (created_at DESC, id DESC);

CREATE TABLE user_roles (
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role_id),
    CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles (id)
);
CREATE INDEX user_roles_role_idx ON user_roles (role_id);
-- People of one tenant and how they prove who they are.
CREATE TABLE users (
    id             uuid        NOT NULL,
    email          text        NOT NULL,
    email_key      text        NOT NULL,
    name           text        NOT NULL,
    status         text        NOT NULL,
    password_hash  text,
    access_version bigint      NOT NULL,
    version        bigint      NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_status_check CHECK (status IN ('invited', 'active', 'suspended'))
);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE INDEX users_created_idx ON users (created_at DESC, id DESC);
COMMENT ON COLUMN users.email_key IS 'the address as it is compared: lower case';
COMMENT ON COLUMN users.access_version IS 'grows when what the user may do changes';

CREATE TABLE sessions (
    id           uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    address      text        NOT NULL,
    client       text        NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX sessions_user_idx ON sessions (user_id, created_at DESC);

CREATE TABLE refresh_tokens (
    hash       bytea       NOT NULL,
    session_id uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (hash),
    CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);

CREATE TABLE one_time_tokens (
    hash       bytea       NOT NULL,
    user_id    uuid        NOT NULL,
    purpose    text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT one_time_tokens_pkey PRIMARY KEY (hash),
    CONSTRAINT one_time_tokens_purpose_check CHECK (purpose IN ('invitation', 'reset')),
    CONSTRAINT one_time_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX one_time_tokens_user_key ON one_time_tokens (user_id, purpose);
