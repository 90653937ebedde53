-- Schemas that are made ahead of time, for tenants that are still to come.
CREATE SCHEMA IF NOT EXISTS control;

-- Each schema of the stock has a row from the transaction that makes it to the one that gives it to a tenant or drops
-- it, so that a crash leaves none that nobody knows of.
CREATE TABLE control.spares (
    schema_name    text        NOT NULL,
    schema_version bigint      NOT NULL,
    migrations     text        NOT NULL,
    own_role       boolean     NOT NULL,
    state          text        NOT NULL,
    CONSTRAINT spares_pkey PRIMARY KEY (schema_name),
    CONSTRAINT spares_schema_name_check CHECK (schema_name ~ '^t_[0-9a-f]{32}$'),
    CONSTRAINT spares_state_check CHECK (state IN ('bare', 'ready', 'changing', 'leaving'))
);
COMMENT ON COLUMN control.spares.migrations IS 'the hash of all migrations that it has had: a binary takes what it would have made itself';
COMMENT ON COLUMN control.spares.own_role IS 'whether a role of its own works in it, or the one of the application';
COMMENT ON COLUMN control.spares.state IS 'bare: role and rights are still to come; ready: to be taken; changing: on its way to a newer version; leaving: being dropped';
