-- Add new schema named "control"
CREATE SCHEMA "control";
-- Create "backups" table
CREATE TABLE "control"."backups" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "slug" text NOT NULL,
  "name" text NOT NULL,
  "admin_email" text NOT NULL,
  "status" text NOT NULL,
  "reason" text NOT NULL,
  "object_id" uuid NOT NULL,
  "schema_version" bigint NOT NULL,
  "row_count" bigint NOT NULL,
  "file_count" bigint NOT NULL,
  "file_bytes" bigint NOT NULL,
  "size" bigint NOT NULL,
  "sha256" text NOT NULL,
  "snapshot_at" timestamptz NULL,
  "version" bigint NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "backups_complete_check" CHECK ((status <> 'complete'::text) OR (snapshot_at IS NOT NULL)),
  CONSTRAINT "backups_reason_check" CHECK (reason = ANY (ARRAY['request'::text, 'schedule'::text])),
  CONSTRAINT "backups_status_check" CHECK (status = ANY (ARRAY['running'::text, 'complete'::text, 'failed'::text, 'deleting'::text]))
);
-- Create index "backups_deleting_idx" to table: "backups"
CREATE INDEX "backups_deleting_idx" ON "control"."backups" ("id") WHERE (status = 'deleting'::text);
-- Create index "backups_running_key" to table: "backups"
CREATE UNIQUE INDEX "backups_running_key" ON "control"."backups" ("tenant_id") WHERE (status = 'running'::text);
-- Create index "backups_tenant_idx" to table: "backups"
CREATE INDEX "backups_tenant_idx" ON "control"."backups" ("tenant_id", "created_at" DESC, "id" DESC);
-- Set comment to column: "object_id" on table: "backups"
COMMENT ON COLUMN "control"."backups"."object_id" IS 'names the archive in S3: each attempt writes one of its own';
-- Set comment to column: "size" on table: "backups"
COMMENT ON COLUMN "control"."backups"."size" IS 'of the archive, in bytes';
-- Set comment to column: "snapshot_at" on table: "backups"
COMMENT ON COLUMN "control"."backups"."snapshot_at" IS 'the instant that all rows of the archive are of; null until it is complete';
-- Create "busy_tenants" table
CREATE TABLE "control"."busy_tenants" (
  "tenant_id" uuid NOT NULL,
  "requests" double precision NOT NULL,
  "noted_at" timestamptz NOT NULL,
  PRIMARY KEY ("tenant_id")
);
-- Create "copies" table
CREATE TABLE "control"."copies" (
  "operation_id" uuid NOT NULL,
  "kind" text NOT NULL,
  "step" text NOT NULL,
  "backup_id" uuid NULL,
  "source_id" uuid NOT NULL,
  "target_id" uuid NOT NULL,
  "schema_name" text NOT NULL,
  "old_schema" text NOT NULL,
  "attempts" integer NOT NULL,
  "from_placement" text NOT NULL,
  "to_placement" text NOT NULL,
  "state" jsonb NULL,
  PRIMARY KEY ("operation_id"),
  CONSTRAINT "copies_kind_check" CHECK (kind = ANY (ARRAY['backup'::text, 'restore'::text, 'replace'::text, 'clone'::text, 'move'::text])),
  CONSTRAINT "copies_step_check" CHECK (step = ANY (ARRAY['copying'::text, 'cleaning'::text, 'undoing'::text, 'over'::text]))
);
-- Create index "copies_backup_idx" to table: "copies"
CREATE INDEX "copies_backup_idx" ON "control"."copies" ("backup_id") WHERE (step <> 'over'::text);
-- Create index "copies_open_idx" to table: "copies"
CREATE INDEX "copies_open_idx" ON "control"."copies" ("operation_id") WHERE (step <> 'over'::text);
-- Create index "copies_source_idx" to table: "copies"
CREATE INDEX "copies_source_idx" ON "control"."copies" ("source_id") WHERE (step <> 'over'::text);
-- Create index "copies_target_key" to table: "copies"
CREATE UNIQUE INDEX "copies_target_key" ON "control"."copies" ("target_id") WHERE ((step <> 'over'::text) AND (kind <> 'backup'::text));
-- Set comment to column: "source_id" on table: "copies"
COMMENT ON COLUMN "control"."copies"."source_id" IS 'the tenant whose rows they are';
-- Set comment to column: "target_id" on table: "copies"
COMMENT ON COLUMN "control"."copies"."target_id" IS 'the tenant that gets them; for a backup the same as source_id';
-- Set comment to column: "schema_name" on table: "copies"
COMMENT ON COLUMN "control"."copies"."schema_name" IS 'the schema that is being made, another one by each attempt; empty for a backup';
-- Set comment to column: "old_schema" on table: "copies"
COMMENT ON COLUMN "control"."copies"."old_schema" IS 'the schema that it takes the place of; empty when there is none';
-- Set comment to column: "attempts" on table: "copies"
COMMENT ON COLUMN "control"."copies"."attempts" IS 'who works on it: only the last to begin may change what it has become';
-- Set comment to column: "from_placement" on table: "copies"
COMMENT ON COLUMN "control"."copies"."from_placement" IS 'the placement that a move leaves; otherwise empty';
-- Set comment to column: "to_placement" on table: "copies"
COMMENT ON COLUMN "control"."copies"."to_placement" IS 'the placement in which the schema is made; empty for a backup';
-- Set comment to column: "state" on table: "copies"
COMMENT ON COLUMN "control"."copies"."state" IS 'how far a move has come';
-- Create "deletions" table
CREATE TABLE "control"."deletions" (
  "tenant_id" uuid NOT NULL,
  "was" text NOT NULL,
  "deleted_at" timestamptz NOT NULL,
  "erase_after" timestamptz NOT NULL,
  PRIMARY KEY ("tenant_id"),
  CONSTRAINT "deletions_was_check" CHECK (was = ANY (ARRAY['active'::text, 'suspended'::text]))
);
-- Create index "deletions_due_idx" to table: "deletions"
CREATE INDEX "deletions_due_idx" ON "control"."deletions" ("erase_after");
-- Set comment to column: "was" on table: "deletions"
COMMENT ON COLUMN "control"."deletions"."was" IS 'the status that undelete goes back to';
-- Set comment to column: "erase_after" on table: "deletions"
COMMENT ON COLUMN "control"."deletions"."erase_after" IS 'when the grace is over and the tenant may be erased';
-- Create "erasure_receipts" table
CREATE TABLE "control"."erasure_receipts" (
  "tenant_id" uuid NOT NULL,
  "slug" text NOT NULL,
  "erased_at" timestamptz NOT NULL,
  "receipt" text NOT NULL,
  PRIMARY KEY ("tenant_id")
);
-- Create index "erasure_receipts_erased_idx" to table: "erasure_receipts"
CREATE INDEX "erasure_receipts_erased_idx" ON "control"."erasure_receipts" ("erased_at" DESC, "tenant_id" DESC);
-- Set comment to column: "receipt" on table: "erasure_receipts"
COMMENT ON COLUMN "control"."erasure_receipts"."receipt" IS 'a signed note';
-- Create "erasures" table
CREATE TABLE "control"."erasures" (
  "tenant_id" uuid NOT NULL,
  "operation_id" uuid NOT NULL,
  "slug" text NOT NULL,
  "schema_name" text NOT NULL,
  "placement" text NOT NULL,
  "state" text NOT NULL,
  "tables" bigint NOT NULL,
  "row_count" bigint NOT NULL,
  "database_bytes" bigint NOT NULL,
  "objects" bigint NOT NULL,
  "object_bytes" bigint NOT NULL,
  "jobs" bigint NOT NULL,
  "control_rows" bigint NOT NULL,
  "begun_at" timestamptz NOT NULL,
  "look_again_at" timestamptz NULL,
  PRIMARY KEY ("tenant_id"),
  CONSTRAINT "erasures_look_check" CHECK ((state = 'erased'::text) = (look_again_at IS NOT NULL)),
  CONSTRAINT "erasures_state_check" CHECK (state = ANY (ARRAY['begun'::text, 'counted'::text, 'erased'::text]))
);
-- Set comment to column: "look_again_at" on table: "erasures"
COMMENT ON COLUMN "control"."erasures"."look_again_at" IS 'when every link to store an object that was handed out before is over';
-- Create "fleet_attempts" table
CREATE TABLE "control"."fleet_attempts" (
  "tenant_id" uuid NOT NULL,
  "target" bigint NOT NULL,
  "state" text NOT NULL,
  "attempts" integer NOT NULL,
  "error" text NOT NULL,
  "started_at" timestamptz NOT NULL,
  "finished_at" timestamptz NOT NULL,
  PRIMARY KEY ("tenant_id"),
  CONSTRAINT "fleet_attempts_attempts_check" CHECK (attempts > 0),
  CONSTRAINT "fleet_attempts_state_check" CHECK (state = ANY (ARRAY['done'::text, 'failed'::text]))
);
-- Create "fleet_freezes" table
CREATE TABLE "control"."fleet_freezes" (
  "id" smallint NOT NULL,
  "reason" text NOT NULL,
  "frozen_by" text NOT NULL,
  "frozen_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "fleet_freezes_id_check" CHECK (id = 1)
);
-- Create "moving" table
CREATE TABLE "control"."moving" (
  "tenant_id" uuid NOT NULL,
  "writers_wait" timestamptz NOT NULL,
  PRIMARY KEY ("tenant_id")
);
-- Create "operations" table
CREATE TABLE "control"."operations" (
  "id" uuid NOT NULL,
  "kind" text NOT NULL,
  "tenant_id" uuid NOT NULL,
  "status" text NOT NULL,
  "progress" integer NOT NULL,
  "error_code" text NOT NULL,
  "error_detail" text NOT NULL,
  "result" jsonb NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "operations_progress_check" CHECK ((progress >= 0) AND (progress <= 100)),
  CONSTRAINT "operations_status_check" CHECK (status = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text]))
);
-- Create index "operations_tenant_idx" to table: "operations"
CREATE INDEX "operations_tenant_idx" ON "control"."operations" ("tenant_id", "created_at" DESC);
-- Create "remains" table
CREATE TABLE "control"."remains" (
  "id" uuid NOT NULL,
  "tenant_id" uuid NOT NULL,
  "placement" text NOT NULL,
  "schema_name" text NOT NULL,
  "noted_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
-- Create index "remains_placement_key" to table: "remains"
CREATE UNIQUE INDEX "remains_placement_key" ON "control"."remains" ("placement", "tenant_id", "schema_name");
-- Set comment to table: "remains"
COMMENT ON TABLE "control"."remains" IS 'outlives its tenant: the rows of one that is erased are there until they are removed';
-- Set comment to column: "schema_name" on table: "remains"
COMMENT ON COLUMN "control"."remains"."schema_name" IS 'of the tenant; there it may be called so, or moved_ and so';
-- Create "signing_keys" table
CREATE TABLE "control"."signing_keys" (
  "id" text NOT NULL,
  "generation" bigint NOT NULL,
  "public_key" bytea NOT NULL,
  "private_key" bytea NOT NULL,
  "created_at" timestamptz NOT NULL,
  "signs_from" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
-- Create index "signing_keys_generation_key" to table: "signing_keys"
CREATE UNIQUE INDEX "signing_keys_generation_key" ON "control"."signing_keys" ("generation");
-- Set comment to column: "signs_from" on table: "signing_keys"
COMMENT ON COLUMN "control"."signing_keys"."signs_from" IS 'before that the key is published, so that everybody knows it in time';
-- Set comment to column: "expires_at" on table: "signing_keys"
COMMENT ON COLUMN "control"."signing_keys"."expires_at" IS 'when the last token it has signed is over';
-- Create "spares" table
CREATE TABLE "control"."spares" (
  "schema_name" text NOT NULL,
  "schema_version" bigint NOT NULL,
  "migrations" text NOT NULL,
  "own_role" boolean NOT NULL,
  "state" text NOT NULL,
  PRIMARY KEY ("schema_name"),
  CONSTRAINT "spares_schema_name_check" CHECK (schema_name ~ '^t_[0-9a-f]{32}$'::text),
  CONSTRAINT "spares_state_check" CHECK (state = ANY (ARRAY['bare'::text, 'ready'::text, 'changing'::text, 'leaving'::text]))
);
-- Set comment to column: "migrations" on table: "spares"
COMMENT ON COLUMN "control"."spares"."migrations" IS 'the hash of all migrations that it has had: a binary takes what it would have made itself';
-- Set comment to column: "own_role" on table: "spares"
COMMENT ON COLUMN "control"."spares"."own_role" IS 'whether a role of its own works in it, or the one of the application';
-- Set comment to column: "state" on table: "spares"
COMMENT ON COLUMN "control"."spares"."state" IS 'bare: role and rights are still to come; ready: to be taken; changing: on its way to a newer version; leaving: being dropped';
-- Create "tenants" table
CREATE TABLE "control"."tenants" (
  "id" uuid NOT NULL,
  "slug" text NOT NULL,
  "name" text NOT NULL,
  "kind" text NOT NULL,
  "status" text NOT NULL,
  "schema_name" text NOT NULL,
  "admin_email" text NOT NULL,
  "version" bigint NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "schema_version" bigint NOT NULL DEFAULT 0,
  "placement" text NOT NULL DEFAULT 'main',
  PRIMARY KEY ("id"),
  CONSTRAINT "tenants_kind_check" CHECK (kind = ANY (ARRAY['customer'::text, 'operator'::text])),
  CONSTRAINT "tenants_landlord_check" CHECK ((kind <> 'operator'::text) OR (placement = 'main'::text)),
  CONSTRAINT "tenants_placement_check" CHECK (placement ~ '^[a-z][a-z0-9-]{0,30}$'::text),
  CONSTRAINT "tenants_schema_name_check" CHECK (schema_name ~ '^t_[0-9a-f]{32}$'::text),
  CONSTRAINT "tenants_slug_check" CHECK (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'::text),
  CONSTRAINT "tenants_status_check" CHECK (status = ANY (ARRAY['provisioning'::text, 'active'::text, 'suspended'::text, 'deleting'::text, 'erasing'::text, 'erased'::text]))
);
-- Create index "tenants_created_idx" to table: "tenants"
CREATE INDEX "tenants_created_idx" ON "control"."tenants" ("created_at" DESC, "id" DESC);
-- Create index "tenants_operator_key" to table: "tenants"
CREATE UNIQUE INDEX "tenants_operator_key" ON "control"."tenants" ("kind") WHERE (kind = 'operator'::text);
-- Create index "tenants_placement_idx" to table: "tenants"
CREATE INDEX "tenants_placement_idx" ON "control"."tenants" ("placement", "id");
-- Create index "tenants_provisioning_idx" to table: "tenants"
CREATE INDEX "tenants_provisioning_idx" ON "control"."tenants" ("id") WHERE (status = 'provisioning'::text);
-- Create index "tenants_schema_name_key" to table: "tenants"
CREATE UNIQUE INDEX "tenants_schema_name_key" ON "control"."tenants" ("schema_name");
-- Create index "tenants_slug_key" to table: "tenants"
CREATE UNIQUE INDEX "tenants_slug_key" ON "control"."tenants" ("slug");
-- Create "usage_batches" table
CREATE TABLE "control"."usage_batches" (
  "process" uuid NOT NULL,
  "batch" bigint NOT NULL,
  "sent_at" timestamptz NOT NULL,
  PRIMARY KEY ("process")
);
-- Create index "usage_batches_sent_idx" to table: "usage_batches"
CREATE INDEX "usage_batches_sent_idx" ON "control"."usage_batches" ("sent_at");
-- Create "usage_days" table
CREATE TABLE "control"."usage_days" (
  "tenant_id" uuid NOT NULL,
  "day" timestamptz NOT NULL,
  "answered" bigint NOT NULL,
  "limited" bigint NOT NULL,
  "failed" bigint NOT NULL,
  PRIMARY KEY ("tenant_id", "day")
);
-- Create index "usage_days_day_idx" to table: "usage_days"
CREATE INDEX "usage_days_day_idx" ON "control"."usage_days" ("day");
-- Set comment to column: "day" on table: "usage_days"
COMMENT ON COLUMN "control"."usage_days"."day" IS 'when the day began, in UTC';
