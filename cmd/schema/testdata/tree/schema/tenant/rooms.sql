CREATE TABLE rooms (
    id    uuid    NOT NULL,
    name  text    NOT NULL,
    floor integer NOT NULL,
    CONSTRAINT rooms_pkey PRIMARY KEY (id),
    CONSTRAINT rooms_floor_check CHECK (floor > 0)
);
CREATE INDEX rooms_name_idx ON rooms (name);
