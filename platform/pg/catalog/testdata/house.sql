-- One of everything that a schema can hold.
CREATE TYPE side AS ENUM ('north', 'south');
CREATE DOMAIN storey AS integer CONSTRAINT storey_check CHECK (VALUE < 100);
CREATE TYPE spot AS (x integer, y integer);
CREATE SEQUENCE doors;
CREATE TABLE rooms (
    id    uuid    NOT NULL CONSTRAINT rooms_pkey PRIMARY KEY,
    name  text    NOT NULL COLLATE "C",
    floor integer NOT NULL DEFAULT 1,
    above integer GENERATED ALWAYS AS (floor + 1) STORED,
    faces side,
    door  integer DEFAULT nextval('doors'),
    CONSTRAINT rooms_floor_check CHECK (floor > 0)
);
ALTER SEQUENCE doors OWNED BY rooms.door;
CREATE INDEX rooms_name_idx ON rooms (lower(name)) WHERE floor > 1;
CREATE TABLE keys (
    number integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    room   uuid    NOT NULL,
    "Odd Name" text,
    CONSTRAINT keys_room_fkey FOREIGN KEY (room) REFERENCES rooms (id)
);
CREATE TABLE visits (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE visits_2000 PARTITION OF visits FOR VALUES FROM ('2000-01-01') TO ('2001-01-01');
CREATE FUNCTION height(f integer) RETURNS integer LANGUAGE sql AS 'SELECT f * 3';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN new;
END
$$;
CREATE TRIGGER rooms_touch BEFORE UPDATE ON rooms FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE keys_keep AS ON DELETE TO keys DO INSTEAD NOTHING;
CREATE VIEW attic AS SELECT id FROM rooms WHERE floor > 5;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM rooms;
CREATE STATISTICS rooms_stats ON name, floor FROM rooms;
ALTER TABLE rooms ENABLE ROW LEVEL SECURITY;
ALTER TABLE rooms FORCE ROW LEVEL SECURITY;
CREATE POLICY rooms_visible ON rooms USING (floor > 0);
COMMENT ON TABLE rooms IS 'where people live';
COMMENT ON COLUMN rooms.floor IS 'counted from the street';
