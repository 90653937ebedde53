-- Roles of one tenant and who has them. What a built-in role holds is known
-- to the binary, not to the table.
CREATE TABLE roles (
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    description text        NOT NULL,
    built_in    boolean     NOT NULL,
    permissions text[]      NOT NULL,
    version     bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT roles_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX roles_name_key ON roles (name);
CREATE INDEX roles_created_idx ON roles (created_at DESC, id DESC);

CREATE TABLE user_roles (
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role_id),
    CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles (id)
);
CREATE INDEX user_roles_role_idx ON user_roles (role_id);
