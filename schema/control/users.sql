-- Keys that sign access tokens: public part in the clear, private part sealed
-- with a key from the configuration.
CREATE SCHEMA IF NOT EXISTS control;

CREATE TABLE control.signing_keys (
    id          text        NOT NULL,
    generation  bigint      NOT NULL,
    public_key  bytea       NOT NULL,
    private_key bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    signs_from  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (id)
);
-- Of two processes that make the next key at the same time, one succeeds.
CREATE UNIQUE INDEX signing_keys_generation_key ON control.signing_keys (generation);
COMMENT ON COLUMN control.signing_keys.signs_from IS 'before that the key is published, so that everybody knows it in time';
COMMENT ON COLUMN control.signing_keys.expires_at IS 'when the last token it has signed is over';
