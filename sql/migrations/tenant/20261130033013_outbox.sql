-- Create "outbox" table
CREATE TABLE "outbox" (
  "id" uuid NOT NULL,
  "operation" text NOT NULL,
  "args" jsonb NOT NULL,
  "run_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
