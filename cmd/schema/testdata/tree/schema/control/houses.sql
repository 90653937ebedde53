CREATE SCHEMA control;
CREATE TABLE control.houses (
    id   uuid NOT NULL,
    name text NOT NULL,
    CONSTRAINT houses_pkey PRIMARY KEY (id)
);
