-- What the tenant has set itself apart from the installation's defaults. The
-- row of policy carries the version of all of it.
CREATE TABLE settings (
    name       text        NOT NULL,
    value      jsonb       NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT settings_pkey PRIMARY KEY (name)
);
