// Package config is the one place that reads settings: environment variables into one typed, validated,
// self-describing struct. Nothing else in the program looks at the environment.
//
// A field's tags are its whole specification: env (name, required), envDefault, range (smallest..greatest),
// oneof (allowed words), form (a named check in forms) and doc. Load, Describe and Print all read them, so
// the documentation cannot differ from what is enforced.
package config

import (
	"log/slog"
	"time"

	"github.com/insulahq/insula/platform/secret"
)

// Config is every setting of the program, grouped by subject.
type Config struct {
	HTTP     HTTP
	Database Database
	Redis    Redis
	S3       S3
	Mail     Mail
	Security Security
	Limits   Limits
	Audit    Audit
	Tenants  Tenants
	Roles    Roles
	Files    Files
	Log      Log
	Trace    Trace
}

// HTTP says where and how the API is served.
type HTTP struct {
	Addr           string        `env:"INSULA_HTTP_ADDR" envDefault:"127.0.0.1:8080" form:"address" doc:"Address the public API listens on, host:port."`
	AdminAddr      string        `env:"INSULA_ADMIN_ADDR" envDefault:"127.0.0.1:9090" form:"address" doc:"Address of the private listener for /metrics, /debug/pprof and /livez. Keep it off public networks."`
	PublicURL      string        `env:"INSULA_PUBLIC_URL,required,notEmpty" form:"base-url" doc:"URL under which clients reach the API, without a path. It is the issuer of tokens and the start of links in mails."`
	BaseDomain     string        `env:"INSULA_BASE_DOMAIN" form:"domain" doc:"Domain whose direct subdomains name tenants, as in acme.example.com for example.com. Empty: subdomains mean nothing."`
	TrustedProxies Networks      `env:"INSULA_TRUSTED_PROXIES" doc:"Networks of the proxies in front, in CIDR form, separated by commas. Only they are believed about client addresses, hosts and schemes."`
	CORSOrigins    List          `env:"INSULA_CORS_ORIGINS" form:"origins" doc:"Web origins that may call the API from a browser, separated by commas; a tenant may set its own (tenants.web_origins). Empty: none."`
	RequestTimeout time.Duration `env:"INSULA_REQUEST_TIMEOUT" envDefault:"30s" range:"100ms..10m" doc:"Longest time a request may take, streams and transfers excepted."`
	DrainNotice    time.Duration `env:"INSULA_DRAIN_NOTICE" envDefault:"1s" range:"0s..5m" doc:"How long the process, asked to stop, goes on serving while /readyz says no, so that balancers turn away first."`
	DrainTimeout   time.Duration `env:"INSULA_DRAIN_TIMEOUT" envDefault:"15s" range:"0s..10m" doc:"Longest time that running requests get to finish when the process is asked to stop."`
}

// Database says how to reach PostgreSQL.
type Database struct {
	URL           secret.Value `env:"DATABASE_URL,required,notEmpty" form:"postgres-url" doc:"Connection of the application's role, which cannot change schemas. Several hosts may be listed."`
	MigratorURL   secret.Value `env:"INSULA_MIGRATOR_URL,required,notEmpty" form:"postgres-url" doc:"Connection of the migrator's role, which owns the database and makes tenant schemas."`
	Pooled        bool         `env:"INSULA_DB_POOLED" envDefault:"false" doc:"Whether DATABASE_URL, and the first URL of each placement, leads through a pooler in transaction mode, such as PgBouncer. Then nothing is kept prepared on a connection."`
	TenantRoles   bool         `env:"INSULA_DB_TENANT_ROLES" envDefault:"true" doc:"Whether each tenant has a database role of its own, which its transactions take on: a second wall behind the schema. Turn it off for Citus, in a database that has no tenants yet; then the schema alone stands between tenants."`
	BackendMemory int64        `env:"INSULA_DB_BACKEND_MEMORY" envDefault:"134217728" range:"8388608..17179869184" doc:"Estimated memory in bytes at which the backend of a connection is replaced by a new one, since it keeps what it has learned of each tenant. INSULA_DB_MAX_CONNS times this, per process and placement, is what the database server must have beside its own."`
	MaxConns      int          `env:"INSULA_DB_MAX_CONNS" envDefault:"16" range:"1..1000" doc:"Greatest number of connections this process opens with the application's role, to each database."`
	Warm          int          `env:"INSULA_DB_WARM" envDefault:"100" range:"0..10000" doc:"How many of the busiest tenants are read in ahead of their requests, after a start, which waits for it up to two seconds, and where a connection was replaced. 0: none. Behind a pooler none are."`
	Placements    Placements   `env:"INSULA_PLACEMENTS" doc:"Other databases that house tenants: for each its name, the URL of the application's role there and that of the migrator's, with spaces between, as in: east postgres://… postgres://…; west postgres://… postgres://…. Every process needs all of them. The database of DATABASE_URL is called main. Empty: there are no others."`
}

// Redis says how to reach the cache and limiter.
type Redis struct {
	URL secret.Value `env:"REDIS_URL" form:"redis-url" doc:"Connection to Redis. Empty: run without; nothing is cached between processes and each counts rate limits alone."`
}

// S3 says where file contents are kept.
type S3 struct {
	Endpoint  string       `env:"S3_ENDPOINT" form:"http-url" doc:"URL of the S3 service. Empty: AWS in the given region."`
	Public    string       `env:"S3_PUBLIC_ENDPOINT" form:"http-url" doc:"URL under which clients reach the S3 service, for the links they are handed. Empty: that of S3_ENDPOINT."`
	Region    string       `env:"S3_REGION" envDefault:"us-east-1" doc:"Region that requests are signed for."`
	Bucket    string       `env:"S3_BUCKET,required,notEmpty" doc:"Bucket that holds the files of all tenants."`
	AccessKey string       `env:"S3_ACCESS_KEY" doc:"Access key id. Empty, together with the secret key: the credentials of the AWS environment."`
	SecretKey secret.Value `env:"S3_SECRET_KEY" doc:"Secret access key."`
	PathStyle bool         `env:"S3_PATH_STYLE" envDefault:"false" doc:"Put the bucket into the path instead of the host name; most servers other than AWS need it."`
}

// Mail says how mail leaves.
type Mail struct {
	URL        secret.Value `env:"SMTP_URL,required,notEmpty" form:"smtp-url" doc:"Mail server, as smtp://user:password@host:port?tls=none|starttls|implicit. TLS is starttls unless given."`
	Invitation string       `env:"INSULA_INVITATION_URL" form:"http-url" doc:"Page of your product where an invited person chooses a password; tenant and token follow in the fragment. Empty: the docs page of the API."`
	Reset      string       `env:"INSULA_PASSWORD_RESET_URL" form:"http-url" doc:"Page of your product where a new password is chosen after the old one was forgotten; tenant and token follow in the fragment. Empty: the docs page of the API."`
	Email      string       `env:"INSULA_EMAIL_CHANGE_URL" form:"http-url" doc:"Page of your product where a new e-mail address is confirmed; tenant and token follow in the fragment. Empty: the docs page of the API."`
	From       string       `env:"INSULA_MAIL_FROM,required,notEmpty" form:"mailbox" doc:"Sender of all mail, as in: Insula <no-reply@example.com>."`
}

// Security holds the keys and the costs and lifetimes that guard accounts.
type Security struct {
	SecretKey      secret.Key    `env:"INSULA_SECRET_KEY,required,notEmpty" doc:"Root key, 32 bytes in base64: encrypts the signing keys kept in the database, and other keys derive from it."`
	PasswordPepper secret.Key    `env:"INSULA_PASSWORD_PEPPER,required,notEmpty" doc:"Key mixed into every password hash, 32 bytes in base64. To change it, move the old one to INSULA_PASSWORD_PEPPERS_OLD."`
	PeppersOld     secret.Value  `env:"INSULA_PASSWORD_PEPPERS_OLD" form:"keys" doc:"Peppers that were in force before, oldest first, separated by commas. Each login moves a password to the current one. A single - keeps the place of one that is given up, whose passwords then match no more."`
	BcryptCost     int           `env:"INSULA_BCRYPT_COST" envDefault:"12" range:"10..16" doc:"Cost of password hashes; each step doubles the time of a login."`
	AccessTokenTTL time.Duration `env:"INSULA_ACCESS_TOKEN_TTL" envDefault:"10m" range:"1m..1h" doc:"Lifetime of an access token."`
	RefreshTTL     time.Duration `env:"INSULA_REFRESH_TTL" envDefault:"720h" range:"1h..8760h" doc:"Lifetime of a session without a new login, however much it is used (720h are 30 days)."`
	SessionIdle    time.Duration `env:"INSULA_SESSION_IDLE" envDefault:"168h" range:"1h..8760h" doc:"How long a session lasts when it is not refreshed (168h are 7 days)."`
	RefreshGrace   time.Duration `env:"INSULA_REFRESH_GRACE" envDefault:"10s" range:"0s..1m" doc:"How long a refresh token that was just used still yields its successor, for clients that refresh in parallel."`
	SecondFactor   bool          `env:"INSULA_REQUIRE_SECOND_FACTOR" envDefault:"false" doc:"Whether everybody needs a second factor. Who has none yet can sign in, set one up, and do nothing else before."`
	KeyRotation    time.Duration `env:"INSULA_KEY_ROTATION" envDefault:"2160h" range:"0s..8760h" doc:"How often the key that signs access tokens is replaced (2160h are 90 days). 0s: by command alone."`
}

// Audit says how the audit trail is sealed, kept and removed.
type Audit struct {
	SealEvery time.Duration `env:"INSULA_AUDIT_SEAL_EVERY" envDefault:"10s" range:"1s..1h" doc:"How long new records of the audit trail wait to be sealed together."`
	SealBatch int           `env:"INSULA_AUDIT_SEAL_BATCH" envDefault:"1000" range:"1..10000" doc:"Greatest number of records that are sealed together, under one signed head."`
	Forward   bool          `env:"INSULA_AUDIT_FORWARD" envDefault:"false" doc:"Also keep the sealed records themselves in the object store, beside their signed heads."`
	Retention time.Duration `env:"INSULA_AUDIT_RETENTION" envDefault:"0s" range:"0s..876000h" doc:"How long records are kept before they are removed. 0s: for ever. Less than a day is taken for a day."`
	LegalHold bool          `env:"INSULA_AUDIT_LEGAL_HOLD" envDefault:"false" doc:"Remove no records, whatever their age."`
}

// Limits bounds what callers may ask for.
type Limits struct {
	RateTenant       int           `env:"INSULA_RATE_TENANT" envDefault:"500" range:"1..1000000" doc:"Requests per second that one tenant may send."`
	Units            int           `env:"INSULA_TENANT_UNITS" envDefault:"8" range:"0..1000" doc:"Units of work of one tenant that may run at once in this process. Keep it below INSULA_DB_MAX_CONNS, so that one tenant cannot hold every connection. 0: no limit."`
	Waiting          int           `env:"INSULA_TENANT_WAITING" envDefault:"128" range:"0..100000" doc:"Units of work of one tenant that may wait for their turn beside those that run."`
	StatementTimeout time.Duration `env:"INSULA_TENANT_STATEMENT_TIMEOUT" envDefault:"0s" range:"0s..24h" doc:"Longest time that one statement of a tenant may take in the database. 0s: as long as the request may."`
	LockTimeout      time.Duration `env:"INSULA_TENANT_LOCK_TIMEOUT" envDefault:"0s" range:"0s..24h" doc:"Longest time that a statement of a tenant may wait for a lock. 0s: as long as the request may."`
	RateUser         int           `env:"INSULA_RATE_USER" envDefault:"100" range:"1..1000000" doc:"Requests per second that one user may send; also API keys and tickets that have to be looked for, from one network."`
	RateLogin        int           `env:"INSULA_RATE_LOGIN" envDefault:"10" range:"1..1000000" doc:"Login attempts per minute from one network."`
	MaxBodyBytes     int64         `env:"INSULA_MAX_BODY_BYTES" envDefault:"1048576" range:"1024..1073741824" doc:"Greatest size of a request body in bytes, file contents excepted."`
	MaxFileBytes     int64         `env:"INSULA_MAX_FILE_BYTES" envDefault:"104857600" range:"1..5497558138880" doc:"Greatest size of one file in bytes."`
}

// Tenants says how tenants are kept, and how they end.
type Tenants struct {
	BackupEvery   time.Duration `env:"INSULA_BACKUP_EVERY" envDefault:"0s" range:"0s..8760h" doc:"How often each tenant is backed up by itself. 0s: never."`
	BackupKeep    int           `env:"INSULA_BACKUP_KEEP" envDefault:"7" range:"1..1000" doc:"How many of the backups that were made by themselves are kept, for each tenant."`
	BackupKeepFor time.Duration `env:"INSULA_BACKUP_KEEP_FOR" envDefault:"0s" range:"0s..876000h" doc:"How long backups that were made by themselves are kept at most; the last good one stays. 0s: by number alone."`

	Grace time.Duration `env:"INSULA_TENANT_GRACE" envDefault:"720h" range:"0s..87600h" doc:"How long a deleted tenant can be brought back before it may be erased (720h are 30 days)."`

	SpareSchemas int `env:"INSULA_SPARE_SCHEMAS" envDefault:"8" range:"0..1000" doc:"How many schemas are kept ready for tenants that are still to come. More are made when half of them are gone. 0: none are made, and a new tenant waits for its own."`

	UsageFlush     time.Duration `env:"INSULA_USAGE_FLUSH" envDefault:"5s" range:"1s..10m" doc:"How long requests are counted in memory before their numbers are stored; a process that is killed loses no more than that."`
	UsageRetention time.Duration `env:"INSULA_USAGE_RETENTION" envDefault:"9600h" range:"24h..876000h" doc:"How long the number of requests of a day is kept, for each tenant (9600h are 400 days)."`
}

// Roles says what roles can be made of beside the operations of the API.
type Roles struct {
	Permissions string `env:"INSULA_PERMISSIONS" form:"permissions" doc:"Permissions of your product, for roles of every tenant and for /v1/authz/check, as in: billing.refund=Refund a payment.;billing.view:owner=See an invoice. A name that ends in :owner also allows who owns the thing in question. No name may begin with a module of the API."`
}

// Files says how files travel, what a tenant may keep, and for how long.
type Files struct {
	QuotaBytes  int64         `env:"INSULA_FILES_QUOTA_BYTES" envDefault:"10737418240" range:"0..1152921504606846976" doc:"Bytes that the files of one tenant may have together, versions, open uploads and deleted files included."`
	QuotaFiles  int64         `env:"INSULA_FILES_QUOTA_COUNT" envDefault:"100000" range:"0..1000000000" doc:"How many files one tenant may have, counted in the same way."`
	Types       List          `env:"INSULA_FILES_TYPES" doc:"Content types that are taken, separated by commas, as in image/*,application/pdf. Empty: all."`
	Retention   time.Duration `env:"INSULA_FILES_RETENTION" envDefault:"720h" range:"0s..87600h" doc:"How long a deleted file can be brought back (720h are 30 days)."`
	UploadTTL   time.Duration `env:"INSULA_FILES_UPLOAD_TTL" envDefault:"24h" range:"1m..168h" doc:"How long an upload may take before its place and its parts are given up."`
	LinkTTL     time.Duration `env:"INSULA_FILES_LINK_TTL" envDefault:"15m" range:"1m..1h" doc:"Lifetime of the links by which clients send to and read from the S3 service."`
	Direct      bool          `env:"INSULA_FILES_DIRECT" envDefault:"true" doc:"Let clients send to the S3 service itself. Otherwise all content passes through this server."`
	Redirect    bool          `env:"INSULA_FILES_REDIRECT" envDefault:"false" doc:"Answer downloads with a redirect to the S3 service instead of passing the content through this server."`
	ScanAddr    string        `env:"INSULA_CLAMD_ADDR" form:"address" doc:"Address of a clamd that looks at every file before it can be read, host:port. Empty: files are not scanned."`
	ScanTimeout time.Duration `env:"INSULA_CLAMD_TIMEOUT" envDefault:"10m" range:"1s..6h" doc:"Longest time that looking at one file may take."`
	SweepEvery  time.Duration `env:"INSULA_FILES_SWEEP_EVERY" envDefault:"6h" range:"1m..168h" doc:"How often uploads that were given up, files past their retention and strays in the S3 service are looked for."`
}

// Log says what is logged, and how.
type Log struct {
	Level  slog.Level `env:"INSULA_LOG_LEVEL" envDefault:"info" doc:"Least severe level that is logged: debug, info, warn or error."`
	Format string     `env:"INSULA_LOG_FORMAT" envDefault:"json" oneof:"json,text" doc:"Form of log lines."`
}

// Trace says where spans of requests are sent.
type Trace struct {
	Endpoint string `env:"INSULA_OTLP_ENDPOINT" form:"http-url" doc:"OTLP/HTTP address that takes traces, such as http://collector:4318/v1/traces. Empty: no traces."`
	Percent  int    `env:"INSULA_TRACE_PERCENT" envDefault:"10" range:"0..100" doc:"Per cent of the requests that are traced where the caller does not decide it."`
}
