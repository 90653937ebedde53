-- Keys that sign access tokens: public part in the clear, private part sealed
-- with a key from the configuration.
CREATE TABLE control.signing_keys (
    id          text        NOT NULL,
    public_key  bytea       NOT NULL,
    private_key bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (id)
);
