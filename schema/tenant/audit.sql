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
