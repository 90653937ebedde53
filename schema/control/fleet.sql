-- What bringing the tenants' schemas to a new version has come to.
CREATE SCHEMA IF NOT EXISTS control;

-- The last attempt on each tenant. A tenant that has been at the newest version since it was made has none.
CREATE TABLE control.fleet_attempts (
    tenant_id   uuid        NOT NULL,
    target      bigint      NOT NULL,
    state       text        NOT NULL,
    attempts    integer     NOT NULL,
    error       text        NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    CONSTRAINT fleet_attempts_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT fleet_attempts_state_check CHECK (state IN ('done', 'failed')),
    CONSTRAINT fleet_attempts_attempts_check CHECK (attempts > 0)
);

-- At most one row: while it is there, no tenant's schema is changed.
CREATE TABLE control.fleet_freezes (
    id        smallint    NOT NULL,
    reason    text        NOT NULL,
    frozen_by text        NOT NULL,
    frozen_at timestamptz NOT NULL,
    CONSTRAINT fleet_freezes_pkey PRIMARY KEY (id),
    CONSTRAINT fleet_freezes_id_check CHECK (id = 1)
);
