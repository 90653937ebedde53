-- Create "idempotency_keys" table
CREATE TABLE "idempotency_keys" (
  "caller_id" uuid NOT NULL,
  "key" text NOT NULL,
  "fingerprint" bytea NOT NULL,
  "result" jsonb NULL,
  "expires_at" timestamptz NOT NULL,
  PRIMARY KEY ("caller_id", "key")
);
-- Create index "idempotency_keys_expires_idx" to table: "idempotency_keys"
CREATE INDEX "idempotency_keys_expires_idx" ON "idempotency_keys" ("expires_at");
-- Set comment to table: "idempotency_keys"
COMMENT ON TABLE "idempotency_keys" IS 'passing';
-- Create "settings" table
CREATE TABLE "settings" (
  "name" text NOT NULL,
  "value" jsonb NOT NULL,
  "changed_at" timestamptz NOT NULL,
  PRIMARY KEY ("name")
);
-- Create "audit_leaves" table
CREATE TABLE "audit_leaves" (
  "number" bigint NOT NULL,
  "event_id" uuid NOT NULL,
  PRIMARY KEY ("number")
);
-- Create index "audit_leaves_event_key" to table: "audit_leaves"
CREATE UNIQUE INDEX "audit_leaves_event_key" ON "audit_leaves" ("event_id");
-- Set comment to table: "audit_leaves"
COMMENT ON TABLE "audit_leaves" IS 'append-only, removable, lasting, own';
-- Create "audit_seals" table
CREATE TABLE "audit_seals" (
  "size" bigint NOT NULL,
  "first" bigint NOT NULL,
  "first_hash" bigint NOT NULL,
  "hashes" bytea NOT NULL,
  "head" text NOT NULL,
  "at" timestamptz NOT NULL,
  "last_xid" bigint NOT NULL,
  "last_id" uuid NOT NULL,
  "server" text NOT NULL,
  PRIMARY KEY ("size"),
  CONSTRAINT "audit_seals_size_check" CHECK ((size > first) AND (first >= 0))
);
-- Create index "audit_seals_first_hash_key" to table: "audit_seals"
CREATE UNIQUE INDEX "audit_seals_first_hash_key" ON "audit_seals" ("first_hash");
-- Create index "audit_seals_first_key" to table: "audit_seals"
CREATE UNIQUE INDEX "audit_seals_first_key" ON "audit_seals" ("first");
-- Set comment to table: "audit_seals"
COMMENT ON TABLE "audit_seals" IS 'append-only, lasting, own';
-- Set comment to column: "hashes" on table: "audit_seals"
COMMENT ON COLUMN "audit_seals"."hashes" IS 'the hashes of the tree that the batch adds, 32 bytes each, in the order of tlog.StoredHashIndex';
-- Set comment to column: "last_xid" on table: "audit_seals"
COMMENT ON COLUMN "audit_seals"."last_xid" IS 'with last_id: every record up to here is sealed, on the server of that name';
-- Set comment to column: "server" on table: "audit_seals"
COMMENT ON COLUMN "audit_seals"."server" IS 'server: the one that last_xid counts on; empty after the tenant came from another';
-- Create "audit_words" table
CREATE TABLE "audit_words" (
  "word" text NOT NULL,
  "at" timestamptz NOT NULL,
  "id" uuid NOT NULL,
  PRIMARY KEY ("word", "at", "id")
);
-- Set comment to table: "audit_words"
COMMENT ON TABLE "audit_words" IS 'append-only, removable, lasting, own';
-- Create "users" table
CREATE TABLE "users" (
  "id" uuid NOT NULL,
  "email" text NOT NULL,
  "email_key" text NOT NULL,
  "name" text NOT NULL,
  "name_key" text NOT NULL,
  "locale" text NOT NULL,
  "time_zone" text NOT NULL,
  "status" text NOT NULL,
  "password_hash" text NULL,
  "second_factor" boolean NOT NULL,
  "access_version" bigint NOT NULL,
  "version" bigint NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "users_status_check" CHECK (status = ANY (ARRAY['invited'::text, 'active'::text, 'suspended'::text]))
);
-- Create index "users_created_idx" to table: "users"
CREATE INDEX "users_created_idx" ON "users" ("created_at" DESC, "id" DESC);
-- Create index "users_email_key" to table: "users"
CREATE UNIQUE INDEX "users_email_key" ON "users" ("email_key");
-- Create index "users_name_idx" to table: "users"
CREATE INDEX "users_name_idx" ON "users" ("name_key", "id");
-- Set comment to column: "email_key" on table: "users"
COMMENT ON COLUMN "users"."email_key" IS 'the address as it is compared: lower case';
-- Set comment to column: "name_key" on table: "users"
COMMENT ON COLUMN "users"."name_key" IS 'the name as it is sorted: lower case';
-- Set comment to column: "locale" on table: "users"
COMMENT ON COLUMN "users"."locale" IS 'BCP 47; empty when not chosen';
-- Set comment to column: "time_zone" on table: "users"
COMMENT ON COLUMN "users"."time_zone" IS 'IANA; empty when not chosen';
-- Set comment to column: "second_factor" on table: "users"
COMMENT ON COLUMN "users"."second_factor" IS 'signing in takes a confirmed second factor';
-- Set comment to column: "access_version" on table: "users"
COMMENT ON COLUMN "users"."access_version" IS 'grows when what the user may do changes';
-- Create "custom_permissions" table
CREATE TABLE "custom_permissions" (
  "name" text NOT NULL,
  "summary" text NOT NULL,
  "owner_too" boolean NOT NULL,
  "created_at" timestamptz NOT NULL,
  PRIMARY KEY ("name")
);
-- Set comment to column: "owner_too" on table: "custom_permissions"
COMMENT ON COLUMN "custom_permissions"."owner_too" IS 'whether who owns the thing in question is allowed without holding the permission';
-- Create "failed_attempts" table
CREATE TABLE "failed_attempts" (
  "subject" bytea NOT NULL,
  "failures" integer NOT NULL,
  "last_at" timestamptz NOT NULL,
  "blocked_until" timestamptz NOT NULL,
  PRIMARY KEY ("subject")
);
-- Create index "failed_attempts_last_idx" to table: "failed_attempts"
CREATE INDEX "failed_attempts_last_idx" ON "failed_attempts" ("last_at");
-- Set comment to table: "failed_attempts"
COMMENT ON TABLE "failed_attempts" IS 'passing';
-- Set comment to column: "subject" on table: "failed_attempts"
COMMENT ON COLUMN "failed_attempts"."subject" IS 'hash of what is guarded: an address, a network, a device, a second factor';
-- Create "policy" table
CREATE TABLE "policy" (
  "current" boolean NOT NULL,
  "version" bigint NOT NULL,
  "settings_version" bigint NOT NULL DEFAULT 0,
  PRIMARY KEY ("current"),
  CONSTRAINT "policy_current_check" CHECK (current)
);
-- Create "outbox" table
CREATE TABLE "outbox" (
  "id" uuid NOT NULL,
  "operation" text NOT NULL,
  "args" jsonb NOT NULL,
  "run_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
-- Set comment to table: "outbox"
COMMENT ON TABLE "outbox" IS 'passing';
-- Create "file_usage" table
CREATE TABLE "file_usage" (
  "scope" text NOT NULL,
  "bytes" bigint NOT NULL,
  "files" bigint NOT NULL,
  PRIMARY KEY ("scope"),
  CONSTRAINT "file_usage_bytes_check" CHECK (bytes >= 0),
  CONSTRAINT "file_usage_files_check" CHECK (files >= 0)
);
-- Create "audit_events" table
CREATE TABLE "audit_events" (
  "id" uuid NOT NULL,
  "at" timestamptz NOT NULL,
  "operation" text NOT NULL,
  "outcome" text NOT NULL,
  "code" text NOT NULL,
  "rule" text NOT NULL,
  "actor_kind" text NOT NULL,
  "actor_id" uuid NULL,
  "actor_label" text NOT NULL,
  "session_id" uuid NULL,
  "target_kind" text NOT NULL,
  "target_id" text NOT NULL,
  "target_label" text NOT NULL,
  "before" jsonb NULL,
  "after" jsonb NULL,
  "request_id" text NOT NULL,
  "address" text NOT NULL,
  "client" text NOT NULL,
  "xid" bigint NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "audit_events_outcome_check" CHECK (outcome = ANY (ARRAY['done'::text, 'denied'::text, 'failed'::text]))
);
-- Create index "audit_events_actor_idx" to table: "audit_events"
CREATE INDEX "audit_events_actor_idx" ON "audit_events" ("actor_id", "at" DESC, "id" DESC);
-- Create index "audit_events_address_idx" to table: "audit_events"
CREATE INDEX "audit_events_address_idx" ON "audit_events" ("address", "at" DESC, "id" DESC);
-- Create index "audit_events_at_idx" to table: "audit_events"
CREATE INDEX "audit_events_at_idx" ON "audit_events" ("at" DESC, "id" DESC);
-- Create index "audit_events_kind_idx" to table: "audit_events"
CREATE INDEX "audit_events_kind_idx" ON "audit_events" ("target_kind", "at" DESC, "id" DESC);
-- Create index "audit_events_operation_idx" to table: "audit_events"
CREATE INDEX "audit_events_operation_idx" ON "audit_events" ("operation", "at" DESC, "id" DESC);
-- Create index "audit_events_refused_idx" to table: "audit_events"
CREATE INDEX "audit_events_refused_idx" ON "audit_events" ("outcome", "at" DESC, "id" DESC) WHERE (outcome <> 'done'::text);
-- Create index "audit_events_request_idx" to table: "audit_events"
CREATE INDEX "audit_events_request_idx" ON "audit_events" ("request_id", "at" DESC, "id" DESC);
-- Create index "audit_events_target_idx" to table: "audit_events"
CREATE INDEX "audit_events_target_idx" ON "audit_events" ("target_id", "at" DESC, "id" DESC);
-- Create index "audit_events_xid_idx" to table: "audit_events"
CREATE INDEX "audit_events_xid_idx" ON "audit_events" ("xid", "id");
-- Set comment to table: "audit_events"
COMMENT ON TABLE "audit_events" IS 'append-only, removable, lasting';
-- Set comment to column: "xid" on table: "audit_events"
COMMENT ON COLUMN "audit_events"."xid" IS 'transaction: the one that wrote the record; what is below every running transaction can be sealed';
-- Create "api_keys" table
CREATE TABLE "api_keys" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "name" text NOT NULL,
  "hash" bytea NOT NULL,
  "hint" text NOT NULL,
  "operations" text[] NOT NULL,
  "created_at" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  "last_used_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "api_keys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "api_keys_created_idx" to table: "api_keys"
CREATE INDEX "api_keys_created_idx" ON "api_keys" ("created_at" DESC, "id" DESC);
-- Create index "api_keys_hash_key" to table: "api_keys"
CREATE UNIQUE INDEX "api_keys_hash_key" ON "api_keys" ("hash");
-- Create index "api_keys_user_idx" to table: "api_keys"
CREATE INDEX "api_keys_user_idx" ON "api_keys" ("user_id");
-- Set comment to table: "api_keys"
COMMENT ON TABLE "api_keys" IS 'own';
-- Set comment to column: "user_id" on table: "api_keys"
COMMENT ON COLUMN "api_keys"."user_id" IS 'who made it: the key never holds more than that user does';
-- Set comment to column: "hint" on table: "api_keys"
COMMENT ON COLUMN "api_keys"."hint" IS 'how the key ends, to tell several apart';
-- Set comment to column: "last_used_at" on table: "api_keys"
COMMENT ON COLUMN "api_keys"."last_used_at" IS 'to the hour';
-- Create "authenticators" table
CREATE TABLE "authenticators" (
  "user_id" uuid NOT NULL,
  "seed" bytea NOT NULL,
  "last_step" bigint NOT NULL,
  "created_at" timestamptz NOT NULL,
  "confirmed_at" timestamptz NULL,
  PRIMARY KEY ("user_id"),
  CONSTRAINT "authenticators_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Set comment to column: "seed" on table: "authenticators"
COMMENT ON COLUMN "authenticators"."seed" IS 'sealed with a key from the configuration';
-- Set comment to column: "last_step" on table: "authenticators"
COMMENT ON COLUMN "authenticators"."last_step" IS 'the interval of the newest code that was used: none works twice';
-- Create "files" table
CREATE TABLE "files" (
  "id" uuid NOT NULL,
  "line_id" uuid NOT NULL,
  "folder" text NOT NULL COLLATE "C",
  "name" text NOT NULL COLLATE "C",
  "size" bigint NOT NULL,
  "content_type" text NOT NULL COLLATE "C",
  "sha256" bytea NULL,
  "status" text NOT NULL,
  "reason" text NOT NULL,
  "object_id" uuid NULL,
  "metadata" jsonb NOT NULL,
  "owner_id" uuid NOT NULL,
  "version" bigint NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "superseded_at" timestamptz NULL,
  "deleted_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "files_content_check" CHECK ((status = 'pending'::text) OR (object_id IS NOT NULL)),
  CONSTRAINT "files_deleted_check" CHECK ((status = 'deleted'::text) = (deleted_at IS NOT NULL)),
  CONSTRAINT "files_ready_check" CHECK ((status <> 'ready'::text) OR (sha256 IS NOT NULL)),
  CONSTRAINT "files_size_check" CHECK (size >= 0),
  CONSTRAINT "files_status_check" CHECK (status = ANY (ARRAY['pending'::text, 'scanning'::text, 'ready'::text, 'quarantined'::text, 'deleted'::text]))
);
-- Create index "files_created_idx" to table: "files"
CREATE INDEX "files_created_idx" ON "files" ("created_at" DESC, "id" DESC) WHERE ((superseded_at IS NULL) AND (status <> 'deleted'::text));
-- Create index "files_current_key" to table: "files"
CREATE UNIQUE INDEX "files_current_key" ON "files" ("folder", "name") WHERE ((status = 'ready'::text) AND (superseded_at IS NULL));
-- Create index "files_deleted_idx" to table: "files"
CREATE INDEX "files_deleted_idx" ON "files" ("deleted_at", "id") WHERE (deleted_at IS NOT NULL);
-- Create index "files_line_idx" to table: "files"
CREATE INDEX "files_line_idx" ON "files" ("line_id", "created_at" DESC, "id" DESC);
-- Create index "files_name_idx" to table: "files"
CREATE INDEX "files_name_idx" ON "files" ("name", "id") WHERE ((superseded_at IS NULL) AND (status <> 'deleted'::text));
-- Create index "files_object_key" to table: "files"
CREATE UNIQUE INDEX "files_object_key" ON "files" ("object_id");
-- Create index "files_owner_idx" to table: "files"
CREATE INDEX "files_owner_idx" ON "files" ("owner_id", "created_at" DESC, "id" DESC) WHERE ((superseded_at IS NULL) AND (status <> 'deleted'::text));
-- Create index "files_path_idx" to table: "files"
CREATE INDEX "files_path_idx" ON "files" ("folder", "name", "id") WHERE ((superseded_at IS NULL) AND (status <> 'deleted'::text));
-- Create index "files_scanning_idx" to table: "files"
CREATE INDEX "files_scanning_idx" ON "files" ("updated_at", "id") WHERE (status = 'scanning'::text);
-- Create index "files_size_idx" to table: "files"
CREATE INDEX "files_size_idx" ON "files" ("size" DESC, "id" DESC) WHERE ((superseded_at IS NULL) AND (status <> 'deleted'::text));
-- Create index "files_status_idx" to table: "files"
CREATE INDEX "files_status_idx" ON "files" ("status", "created_at" DESC, "id" DESC) WHERE (status <> 'ready'::text);
-- Create index "files_type_idx" to table: "files"
CREATE INDEX "files_type_idx" ON "files" ("content_type", "created_at" DESC, "id" DESC) WHERE ((superseded_at IS NULL) AND (status <> 'deleted'::text));
-- Set comment to column: "folder" on table: "files"
COMMENT ON COLUMN "files"."folder" IS 'empty, or folder names that each end in a slash';
-- Set comment to column: "reason" on table: "files"
COMMENT ON COLUMN "files"."reason" IS 'why content was refused or kept away; an error code, or what a scanner found';
-- Set comment to column: "object_id" on table: "files"
COMMENT ON COLUMN "files"."object_id" IS 'names the bytes in S3: each upload writes an object of its own, and the one that counts is named here';
-- Set comment to column: "superseded_at" on table: "files"
COMMENT ON COLUMN "files"."superseded_at" IS 'when a newer version took the name';
-- Create "file_shares" table
CREATE TABLE "file_shares" (
  "id" uuid NOT NULL,
  "file_id" uuid NOT NULL,
  "token_hash" bytea NOT NULL,
  "single_use" boolean NOT NULL,
  "opened" bigint NOT NULL,
  "created_by" uuid NOT NULL,
  "created_at" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  "revoked_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "file_shares_file_id_fkey" FOREIGN KEY ("file_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "file_shares_opened_check" CHECK (opened >= 0)
);
-- Create index "file_shares_file_idx" to table: "file_shares"
CREATE INDEX "file_shares_file_idx" ON "file_shares" ("file_id", "created_at" DESC, "id" DESC);
-- Create index "file_shares_token_key" to table: "file_shares"
CREATE UNIQUE INDEX "file_shares_token_key" ON "file_shares" ("token_hash");
-- Set comment to table: "file_shares"
COMMENT ON TABLE "file_shares" IS 'own';
-- Create "file_uploads" table
CREATE TABLE "file_uploads" (
  "file_id" uuid NOT NULL,
  "object_id" uuid NOT NULL,
  "method" text NOT NULL,
  "part_size" bigint NOT NULL,
  "multipart_id" text NOT NULL,
  "sha256" bytea NULL,
  "expires_at" timestamptz NOT NULL,
  "replaces" boolean NOT NULL,
  PRIMARY KEY ("file_id"),
  CONSTRAINT "file_uploads_file_id_fkey" FOREIGN KEY ("file_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "file_uploads_method_check" CHECK (method = ANY (ARRAY['put'::text, 'multipart'::text, 'content'::text]))
);
-- Create index "file_uploads_expires_idx" to table: "file_uploads"
CREATE INDEX "file_uploads_expires_idx" ON "file_uploads" ("expires_at", "file_id");
-- Create index "file_uploads_object_key" to table: "file_uploads"
CREATE UNIQUE INDEX "file_uploads_object_key" ON "file_uploads" ("object_id");
-- Set comment to column: "sha256" on table: "file_uploads"
COMMENT ON COLUMN "file_uploads"."sha256" IS 'as declared by the client; null when it was not';
-- Set comment to column: "replaces" on table: "file_uploads"
COMMENT ON COLUMN "file_uploads"."replaces" IS 'whether its sender may put it in the place of somebody else''s file';
-- Create "one_time_tokens" table
CREATE TABLE "one_time_tokens" (
  "hash" bytea NOT NULL,
  "user_id" uuid NOT NULL,
  "purpose" text NOT NULL,
  "address" text NOT NULL,
  "created_at" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  PRIMARY KEY ("hash"),
  CONSTRAINT "one_time_tokens_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "one_time_tokens_purpose_check" CHECK (purpose = ANY (ARRAY['invitation'::text, 'reset'::text, 'email'::text]))
);
-- Create index "one_time_tokens_purpose_idx" to table: "one_time_tokens"
CREATE INDEX "one_time_tokens_purpose_idx" ON "one_time_tokens" ("purpose", "created_at" DESC, "user_id" DESC);
-- Create index "one_time_tokens_user_key" to table: "one_time_tokens"
CREATE UNIQUE INDEX "one_time_tokens_user_key" ON "one_time_tokens" ("user_id", "purpose");
-- Set comment to table: "one_time_tokens"
COMMENT ON TABLE "one_time_tokens" IS 'passing';
-- Set comment to column: "address" on table: "one_time_tokens"
COMMENT ON COLUMN "one_time_tokens"."address" IS 'where it was sent: it proves that its holder reads mail there';
-- Create "recovery_codes" table
CREATE TABLE "recovery_codes" (
  "user_id" uuid NOT NULL,
  "hash" bytea NOT NULL,
  PRIMARY KEY ("user_id", "hash"),
  CONSTRAINT "recovery_codes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create "sessions" table
CREATE TABLE "sessions" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL,
  "last_used_at" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  "ended_at" timestamptz NULL,
  "address" text NOT NULL,
  "client" text NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "sessions_user_idx" to table: "sessions"
CREATE INDEX "sessions_user_idx" ON "sessions" ("user_id", "created_at" DESC);
-- Set comment to table: "sessions"
COMMENT ON TABLE "sessions" IS 'passing';
-- Create "refresh_tokens" table
CREATE TABLE "refresh_tokens" (
  "hash" bytea NOT NULL,
  "session_id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL,
  "used_at" timestamptz NULL,
  PRIMARY KEY ("hash"),
  CONSTRAINT "refresh_tokens_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "refresh_tokens_session_idx" to table: "refresh_tokens"
CREATE INDEX "refresh_tokens_session_idx" ON "refresh_tokens" ("session_id");
-- Set comment to table: "refresh_tokens"
COMMENT ON TABLE "refresh_tokens" IS 'passing';
-- Create "roles" table
CREATE TABLE "roles" (
  "id" uuid NOT NULL,
  "name" text NOT NULL,
  "description" text NOT NULL,
  "built_in" boolean NOT NULL,
  "permissions" text[] NOT NULL,
  "custom_permissions" text[] NOT NULL,
  "version" bigint NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
-- Create index "roles_created_idx" to table: "roles"
CREATE INDEX "roles_created_idx" ON "roles" ("created_at" DESC, "id" DESC);
-- Create index "roles_name_key" to table: "roles"
CREATE UNIQUE INDEX "roles_name_key" ON "roles" ("name");
-- Set comment to column: "permissions" on table: "roles"
COMMENT ON COLUMN "roles"."permissions" IS 'operations of the binary, and patterns over them';
-- Set comment to column: "custom_permissions" on table: "roles"
COMMENT ON COLUMN "roles"."custom_permissions" IS 'permissions of the product and the tenant, and patterns over them; kept apart, so that none ever comes to mean an operation of the same name';
-- Create "role_parents" table
CREATE TABLE "role_parents" (
  "role_id" uuid NOT NULL,
  "parent_id" uuid NOT NULL,
  PRIMARY KEY ("role_id", "parent_id"),
  CONSTRAINT "role_parents_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "roles" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT "role_parents_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "role_parents_parent_idx" to table: "role_parents"
CREATE INDEX "role_parents_parent_idx" ON "role_parents" ("parent_id");
-- Create "tickets" table
CREATE TABLE "tickets" (
  "hash" bytea NOT NULL,
  "user_id" uuid NOT NULL,
  "session_id" uuid NOT NULL,
  "operation" text NOT NULL,
  "expires_at" timestamptz NOT NULL,
  PRIMARY KEY ("hash"),
  CONSTRAINT "tickets_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "tickets_session_idx" to table: "tickets"
CREATE INDEX "tickets_session_idx" ON "tickets" ("session_id");
-- Set comment to table: "tickets"
COMMENT ON TABLE "tickets" IS 'passing';
-- Create "user_roles" table
CREATE TABLE "user_roles" (
  "user_id" uuid NOT NULL,
  "role_id" uuid NOT NULL,
  "expires_at" timestamptz NULL,
  PRIMARY KEY ("user_id", "role_id"),
  CONSTRAINT "user_roles_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION
);
-- Create index "user_roles_role_idx" to table: "user_roles"
CREATE INDEX "user_roles_role_idx" ON "user_roles" ("role_id");
-- Set comment to column: "expires_at" on table: "user_roles"
COMMENT ON COLUMN "user_roles"."expires_at" IS 'from then on the user does not have the role; null: for good';
