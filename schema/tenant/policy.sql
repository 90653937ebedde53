-- Which versions of the tenant's rules are the current ones: one row. The
-- roles module advances version with every change of what a role gives, the
-- settings module settings_version with every change of a setting, each in the
-- transaction of the change. The gate reads both with the session, so that a
-- change holds at the next request on every node. The table stands apart from
-- those of the modules because several know it.
CREATE TABLE policy (
    current          boolean NOT NULL,
    version          bigint  NOT NULL,
    settings_version bigint  NOT NULL DEFAULT 0,
    CONSTRAINT policy_pkey PRIMARY KEY (current),
    CONSTRAINT policy_current_check CHECK (current)
);
