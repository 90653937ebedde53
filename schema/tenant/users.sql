-- People of one tenant and how they prove who they are.
CREATE TABLE users (
    id             uuid        NOT NULL,
    email          text        NOT NULL,
    email_key      text        NOT NULL,
    name           text        NOT NULL,
    name_key       text        NOT NULL,
    locale         text        NOT NULL,
    time_zone      text        NOT NULL,
    status         text        NOT NULL,
    password_hash  text,
    second_factor  boolean     NOT NULL,
    access_version bigint      NOT NULL,
    version        bigint      NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_status_check CHECK (status IN ('invited', 'active', 'suspended'))
);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE INDEX users_created_idx ON users (created_at DESC, id DESC);
CREATE INDEX users_name_idx ON users (name_key, id);
COMMENT ON COLUMN users.email_key IS 'the address as it is compared: lower case';
COMMENT ON COLUMN users.name_key IS 'the name as it is sorted: lower case';
COMMENT ON COLUMN users.locale IS 'BCP 47; empty when not chosen';
COMMENT ON COLUMN users.time_zone IS 'IANA; empty when not chosen';
COMMENT ON COLUMN users.second_factor IS 'signing in takes a confirmed second factor';
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
COMMENT ON TABLE sessions IS 'passing';

CREATE TABLE refresh_tokens (
    hash       bytea       NOT NULL,
    session_id uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (hash),
    CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);
COMMENT ON TABLE refresh_tokens IS 'passing';

CREATE TABLE one_time_tokens (
    hash       bytea       NOT NULL,
    user_id    uuid        NOT NULL,
    purpose    text        NOT NULL,
    address    text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT one_time_tokens_pkey PRIMARY KEY (hash),
    CONSTRAINT one_time_tokens_purpose_check CHECK (purpose IN ('invitation', 'reset', 'email')),
    CONSTRAINT one_time_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX one_time_tokens_user_key ON one_time_tokens (user_id, purpose);
CREATE INDEX one_time_tokens_purpose_idx ON one_time_tokens (purpose, created_at DESC, user_id DESC);
COMMENT ON TABLE one_time_tokens IS 'passing';
COMMENT ON COLUMN one_time_tokens.address IS 'where it was sent: it proves that its holder reads mail there';

-- Tickets stand for a session, once, where a client can send nothing but an address.
CREATE TABLE tickets (
    hash       bytea       NOT NULL,
    user_id    uuid        NOT NULL,
    session_id uuid        NOT NULL,
    operation  text        NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT tickets_pkey PRIMARY KEY (hash),
    CONSTRAINT tickets_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX tickets_session_idx ON tickets (session_id);
COMMENT ON TABLE tickets IS 'passing';

CREATE TABLE authenticators (
    user_id      uuid        NOT NULL,
    seed         bytea       NOT NULL,
    last_step    bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    confirmed_at timestamptz,
    CONSTRAINT authenticators_pkey PRIMARY KEY (user_id),
    CONSTRAINT authenticators_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
COMMENT ON COLUMN authenticators.seed IS 'sealed with a key from the configuration';
COMMENT ON COLUMN authenticators.last_step IS 'the interval of the newest code that was used: none works twice';

CREATE TABLE recovery_codes (
    user_id uuid  NOT NULL,
    hash    bytea NOT NULL,
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, hash),
    CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE failed_attempts (
    subject       bytea       NOT NULL,
    failures      integer     NOT NULL,
    last_at       timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL,
    CONSTRAINT failed_attempts_pkey PRIMARY KEY (subject)
);
CREATE INDEX failed_attempts_last_idx ON failed_attempts (last_at);
COMMENT ON TABLE failed_attempts IS 'passing';
COMMENT ON COLUMN failed_attempts.subject IS 'hash of what is guarded: an address, a network, a device, a second factor';

CREATE TABLE api_keys (
    id           uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    name         text        NOT NULL,
    hash         bytea       NOT NULL,
    hint         text        NOT NULL,
    operations   text[]      NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX api_keys_hash_key ON api_keys (hash);
CREATE INDEX api_keys_created_idx ON api_keys (created_at DESC, id DESC);
CREATE INDEX api_keys_user_idx ON api_keys (user_id);
COMMENT ON TABLE api_keys IS 'own';
COMMENT ON COLUMN api_keys.user_id IS 'who made it: the key never holds more than that user does';
COMMENT ON COLUMN api_keys.hint IS 'how the key ends, to tell several apart';
COMMENT ON COLUMN api_keys.last_used_at IS 'to the hour';
