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
