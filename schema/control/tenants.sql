-- The registry of tenants and what is being done to them.
CREATE SCHEMA IF NOT EXISTS control;

CREATE TABLE control.tenants (
    id          uuid        NOT NULL,
    slug        text        NOT NULL,
    name        text        NOT NULL,
    kind        text        NOT NULL,
    status      text        NOT NULL,
    schema_name text        NOT NULL,
    admin_email text        NOT NULL,
    version     bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    -- The newest migration of the tenant's schema, 0 before the first. Its own history has the last word; this
    -- copy tells at a glance who is behind, and who is so far behind that the server must not use the schema.
    schema_version bigint   NOT NULL DEFAULT 0,
    -- The database that houses the tenant. Each of them has a copy of the rows of its own tenants, by which they open
    -- there; the row of the main one says where a tenant is.
    placement   text        NOT NULL DEFAULT 'main',
    CONSTRAINT tenants_pkey PRIMARY KEY (id),
    CONSTRAINT tenants_slug_check CHECK (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
    CONSTRAINT tenants_kind_check CHECK (kind IN ('customer', 'operator')),
    CONSTRAINT tenants_status_check CHECK (status IN ('provisioning', 'active', 'suspended', 'deleting', 'erasing', 'erased')),
    CONSTRAINT tenants_placement_check CHECK (placement ~ '^[a-z][a-z0-9-]{0,30}$'),
    CONSTRAINT tenants_landlord_check CHECK (kind <> 'operator' OR placement = 'main'),
    CONSTRAINT tenants_schema_name_check CHECK (schema_name ~ '^t_[0-9a-f]{32}$')
);
CREATE UNIQUE INDEX tenants_slug_key ON control.tenants (slug);
CREATE UNIQUE INDEX tenants_schema_name_key ON control.tenants (schema_name);
CREATE UNIQUE INDEX tenants_operator_key ON control.tenants (kind) WHERE kind = 'operator';
CREATE INDEX tenants_created_idx ON control.tenants (created_at DESC, id DESC);
CREATE INDEX tenants_placement_idx ON control.tenants (placement, id);
CREATE INDEX tenants_provisioning_idx ON control.tenants (id) WHERE status = 'provisioning';

-- Tenants whose move takes its last step: until then their writers wait outside. It is an instant so that they are let
-- in again when the mover is gone.
CREATE TABLE control.moving (
    tenant_id    uuid        NOT NULL,
    writers_wait timestamptz NOT NULL,
    CONSTRAINT moving_pkey PRIMARY KEY (tenant_id)
);

CREATE TABLE control.operations (
    id           uuid        NOT NULL,
    kind         text        NOT NULL,
    tenant_id    uuid        NOT NULL,
    status       text        NOT NULL,
    progress     integer     NOT NULL,
    error_code   text        NOT NULL,
    error_detail text        NOT NULL,
    result       jsonb,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT operations_pkey PRIMARY KEY (id),
    CONSTRAINT operations_status_check CHECK (status IN ('running', 'succeeded', 'failed')),
    CONSTRAINT operations_progress_check CHECK (progress BETWEEN 0 AND 100)
);
CREATE INDEX operations_tenant_idx ON control.operations (tenant_id, created_at DESC);
