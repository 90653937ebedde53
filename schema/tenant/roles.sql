-- Roles of one tenant and who has them. What a built-in role holds is known
-- to the binary, not to the table.
CREATE TABLE roles (
    id                 uuid        NOT NULL,
    name               text        NOT NULL,
    description        text        NOT NULL,
    built_in           boolean     NOT NULL,
    permissions        text[]      NOT NULL,
    custom_permissions text[]      NOT NULL,
    version            bigint      NOT NULL,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CONSTRAINT roles_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX roles_name_key ON roles (name);
CREATE INDEX roles_created_idx ON roles (created_at DESC, id DESC);
COMMENT ON COLUMN roles.permissions IS 'operations of the binary, and patterns over them';
COMMENT ON COLUMN roles.custom_permissions IS 'permissions of the product and the tenant, and patterns over them; kept apart, so that none ever comes to mean an operation of the same name';

-- A role gives what its parents give, too.
CREATE TABLE role_parents (
    role_id   uuid NOT NULL,
    parent_id uuid NOT NULL,
    CONSTRAINT role_parents_pkey PRIMARY KEY (role_id, parent_id),
    CONSTRAINT role_parents_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles (id) ON DELETE CASCADE,
    CONSTRAINT role_parents_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES roles (id)
);
CREATE INDEX role_parents_parent_idx ON role_parents (parent_id);

CREATE TABLE user_roles (
    user_id    uuid NOT NULL,
    role_id    uuid NOT NULL,
    expires_at timestamptz,
    CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role_id),
    CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles (id)
);
CREATE INDEX user_roles_role_idx ON user_roles (role_id);
COMMENT ON COLUMN user_roles.expires_at IS 'from then on the user does not have the role; null: for good';

-- Permissions of the tenant's own product, beside the operations of the
-- binary: checked on request, and never an operation.
CREATE TABLE custom_permissions (
    name       text        NOT NULL,
    summary    text        NOT NULL,
    owner_too  boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT custom_permissions_pkey PRIMARY KEY (name)
);
COMMENT ON COLUMN custom_permissions.owner_too IS 'whether who owns the thing in question is allowed without holding the permission';
