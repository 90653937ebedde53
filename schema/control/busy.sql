-- Tenants that were asked for most lately, by which a new process knows where to read before it is asked. Only a few
-- of the busiest are kept; the table may be emptied at any time.
CREATE TABLE control.busy_tenants (
    tenant_id uuid             NOT NULL,
    -- Requests of all processes as of noted_at, of which those of an hour ago count half.
    requests  double precision NOT NULL,
    noted_at  timestamptz      NOT NULL,
    CONSTRAINT busy_tenants_pkey PRIMARY KEY (tenant_id)
);
