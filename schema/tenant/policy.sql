-- Which version of the tenant's roles and permissions is the current one: one
-- row. The roles module advances it with every change of what a role gives,
-- in the transaction of the change, and the gate reads it with the session,
-- so that a change holds at the next request on every node. It stands apart
-- from the tables of both because both know it.
CREATE TABLE policy (
    current boolean NOT NULL,
    version bigint  NOT NULL,
    CONSTRAINT policy_pkey PRIMARY KEY (current),
    CONSTRAINT policy_current_check CHECK (current)
);
