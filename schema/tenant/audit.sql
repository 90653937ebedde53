-- The trail of one tenant. Rows are added and read, never changed: the
-- comment on the table takes the other rights from the tenant's role. It also
-- says what becomes of them when the tenant is copied: a restore does not turn
-- the trail back, and the tree is that of this tenant alone.
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
    xid          bigint      NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_outcome_check CHECK (outcome IN ('done', 'denied', 'failed'))
);
CREATE INDEX audit_events_at_idx ON audit_events (at DESC, id DESC);
CREATE INDEX audit_events_actor_idx ON audit_events (actor_id, at DESC, id DESC);
CREATE INDEX audit_events_target_idx ON audit_events (target_id, at DESC, id DESC);
CREATE INDEX audit_events_kind_idx ON audit_events (target_kind, at DESC, id DESC);
CREATE INDEX audit_events_operation_idx ON audit_events (operation, at DESC, id DESC);
CREATE INDEX audit_events_request_idx ON audit_events (request_id, at DESC, id DESC);
CREATE INDEX audit_events_address_idx ON audit_events (address, at DESC, id DESC);
CREATE INDEX audit_events_refused_idx ON audit_events (outcome, at DESC, id DESC) WHERE outcome <> 'done';
CREATE INDEX audit_events_xid_idx ON audit_events (xid, id);
COMMENT ON TABLE audit_events IS 'append-only, removable, lasting';
COMMENT ON COLUMN audit_events.xid IS 'transaction: the one that wrote the record; what is below every running transaction can be sealed';

-- Which number in the tree a record has, from the moment it is sealed.
CREATE TABLE audit_leaves (
    number   bigint NOT NULL,
    event_id uuid   NOT NULL,
    CONSTRAINT audit_leaves_pkey PRIMARY KEY (number)
);
CREATE UNIQUE INDEX audit_leaves_event_key ON audit_leaves (event_id);
COMMENT ON TABLE audit_leaves IS 'append-only, removable, lasting, own';

-- The batches in which records were sealed. A batch begins where another one
-- ends; that no two begin at the same record keeps the tree from forking.
CREATE TABLE audit_seals (
    size       bigint      NOT NULL,
    first      bigint      NOT NULL,
    first_hash bigint      NOT NULL,
    hashes     bytea       NOT NULL,
    head       text        NOT NULL,
    at         timestamptz NOT NULL,
    last_xid   bigint      NOT NULL,
    last_id    uuid        NOT NULL,
    server     text        NOT NULL,
    CONSTRAINT audit_seals_pkey PRIMARY KEY (size),
    CONSTRAINT audit_seals_size_check CHECK (size > first AND first >= 0)
);
CREATE UNIQUE INDEX audit_seals_first_key ON audit_seals (first);
CREATE UNIQUE INDEX audit_seals_first_hash_key ON audit_seals (first_hash);
COMMENT ON TABLE audit_seals IS 'append-only, lasting, own';
COMMENT ON COLUMN audit_seals.hashes IS 'the hashes of the tree that the batch adds, 32 bytes each, in the order of tlog.StoredHashIndex';
COMMENT ON COLUMN audit_seals.server IS 'server: the one that last_xid counts on; empty after the tenant came from another';
COMMENT ON COLUMN audit_seals.last_xid IS 'with last_id: every record up to here is sealed, on the server of that name';

-- Words of what changes were about, for searches. Sealing writes them, so that
-- writers of records do not have to.
CREATE TABLE audit_words (
    word text        NOT NULL,
    at   timestamptz NOT NULL,
    id   uuid        NOT NULL,
    CONSTRAINT audit_words_pkey PRIMARY KEY (word, at, id)
);
COMMENT ON TABLE audit_words IS 'append-only, removable, lasting, own';
