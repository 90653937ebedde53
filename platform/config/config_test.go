package config_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/config"
)

func key(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }

// minimal is the smallest environment that starts the program.
func minimal() map[string]string {
	return map[string]string{
		"DATABASE_URL":           "postgres://insula_app:app-pw@127.0.0.1:5432/insula",
		"INSULA_MIGRATOR_URL":    "postgres://insula_migrator:mig-pw@127.0.0.1:5432/insula",
		"INSULA_PUBLIC_URL":      "https://insula.example.com",
		"S3_BUCKET":              "insula",
		"SMTP_URL":               "smtp://mailer:smtp-pw@127.0.0.1:2525?tls=none",
		"INSULA_MAIL_FROM":       "Insula <no-reply@example.com>",
		"INSULA_SECRET_KEY":      key(1),
		"INSULA_PASSWORD_PEPPER": key(2),
	}
}

func environ(values map[string]string) []string {
	list := []string{"PATH=/bin", "HOME=/root"}
	for name, value := range values {
		list = append(list, name+"="+value)
	}
	return list
}

func TestMinimalEnvironmentGivesTheDefaults(t *testing.T) {
	c, err := config.Load(environ(minimal()))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.HTTP.Addr, c.HTTP.AdminAddr, c.HTTP.RequestTimeout, c.HTTP.DrainTimeout, len(c.HTTP.TrustedProxies), len(c.HTTP.CORSOrigins),
		c.Database.MaxConns, c.Redis.URL.IsZero(), c.S3.Region, c.S3.PathStyle, c.Security.BcryptCost, c.Security.AccessTokenTTL,
		c.Security.RefreshTTL, c.Security.RefreshGrace, c.Limits, c.Log)
	want := fmt.Sprint("127.0.0.1:8080", "127.0.0.1:9090", 30*time.Second, 15*time.Second, 0, 0,
		16, true, "us-east-1", false, 12, 10*time.Minute,
		30*24*time.Hour, 10*time.Second, config.Limits{RateTenant: 500, Units: 8, Waiting: 128, RateUser: 100, RateLogin: 10, MaxBodyBytes: 1 << 20, MaxFileBytes: 100 << 20},
		config.Log{Level: slog.LevelInfo, Format: "json"})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if c.Database.URL.Reveal() != minimal()["DATABASE_URL"] || c.Security.SecretKey.Encode().Reveal() != key(1) {
		t.Error("secrets were not read")
	}
}

func TestEveryVariableIsRead(t *testing.T) {
	values := map[string]string{
		"INSULA_HTTP_ADDR": ":80", "INSULA_ADMIN_ADDR": "[::1]:9", "INSULA_BASE_DOMAIN": "example.com",
		"INSULA_TRUSTED_PROXIES": "10.1.2.3/8, ::1", "INSULA_CORS_ORIGINS": "https://a.example, http://localhost:3000",
		"INSULA_REQUEST_TIMEOUT": "5s", "INSULA_DRAIN_TIMEOUT": "0s", "INSULA_DRAIN_NOTICE": "2s", "INSULA_DB_MAX_CONNS": "3", "INSULA_DB_WARM": "9",
		"REDIS_URL": "redis://:redis-pw@127.0.0.1:6379/0", "S3_ENDPOINT": "http://127.0.0.1:9000", "S3_REGION": "eu",
		"S3_ACCESS_KEY": "id", "S3_SECRET_KEY": "s3-pw", "S3_PATH_STYLE": "true", "INSULA_BCRYPT_COST": "10",
		"INSULA_ACCESS_TOKEN_TTL": "2m", "INSULA_REFRESH_TTL": "24h", "INSULA_REFRESH_GRACE": "1s", "INSULA_RATE_TENANT": "1",
		"INSULA_RATE_USER": "2", "INSULA_RATE_LOGIN": "3", "INSULA_MAX_BODY_BYTES": "2048", "INSULA_MAX_FILE_BYTES": "9",
		"INSULA_AUDIT_SEAL_EVERY": "1m0s", "INSULA_AUDIT_SEAL_BATCH": "7", "INSULA_AUDIT_FORWARD": "true", "INSULA_AUDIT_RETENTION": "720h0m0s", "INSULA_AUDIT_LEGAL_HOLD": "true",
		"INSULA_LOG_LEVEL": "debug", "INSULA_LOG_FORMAT": "text", "INSULA_DB_POOLED": "true", "INSULA_DB_TENANT_ROLES": "false", "INSULA_DB_BACKEND_MEMORY": "16777216", "INSULA_OTLP_ENDPOINT": "http://127.0.0.1:4318/v1/traces", "INSULA_TRACE_PERCENT": "50", "INSULA_INVITATION_URL": "https://app.example/join",
		"S3_PUBLIC_ENDPOINT": "https://s3.example.com", "INSULA_FILES_QUOTA_BYTES": "7", "INSULA_FILES_QUOTA_COUNT": "3",
		"INSULA_FILES_TYPES": "image/*,text/plain", "INSULA_FILES_RETENTION": "1h0m0s", "INSULA_FILES_UPLOAD_TTL": "2h0m0s",
		"INSULA_FILES_LINK_TTL": "5m0s", "INSULA_FILES_DIRECT": "false", "INSULA_FILES_REDIRECT": "true",
		"INSULA_CLAMD_ADDR": "127.0.0.1:3310", "INSULA_CLAMD_TIMEOUT": "1m0s", "INSULA_FILES_SWEEP_EVERY": "3h0m0s",
		"INSULA_PERMISSIONS":        "billing.refund=Refund a payment.;billing.view:owner=See an invoice.",
		"INSULA_PASSWORD_RESET_URL": "https://app.example/reset", "INSULA_EMAIL_CHANGE_URL": "https://app.example/mail",
		"INSULA_PASSWORD_PEPPERS_OLD": key(3) + ",-", "INSULA_SESSION_IDLE": "2h", "INSULA_REQUIRE_SECOND_FACTOR": "true",
		"INSULA_BACKUP_EVERY": "24h0m0s", "INSULA_BACKUP_KEEP": "3", "INSULA_BACKUP_KEEP_FOR": "720h0m0s",
		"INSULA_KEY_ROTATION": "48h", "INSULA_TENANT_GRACE": "48h0m0s", "INSULA_SPARE_SCHEMAS": "5", "INSULA_USAGE_FLUSH": "7s", "INSULA_USAGE_RETENTION": "48h0m0s", "INSULA_TENANT_UNITS": "5", "INSULA_TENANT_WAITING": "6",
		"INSULA_TENANT_STATEMENT_TIMEOUT": "7s", "INSULA_TENANT_LOCK_TIMEOUT": "8s",
		"INSULA_PLACEMENTS": "east postgres://a:east-pw@h/d postgres://m:east-pw@h/d;\nwest-2  postgres://a@h/d postgres://m@h/d ;",
	}
	all := minimal()
	for name, value := range values {
		all[name] = value
	}
	c, err := config.Load(environ(all))
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if !slices.Equal(c.HTTP.TrustedProxies, want) {
		t.Errorf("proxies = %v", c.HTTP.TrustedProxies)
	}
	if !slices.Equal(c.HTTP.CORSOrigins, []string{"https://a.example", "http://localhost:3000"}) {
		t.Errorf("origins = %v", c.HTTP.CORSOrigins)
	}
	if p := c.Database.Placements; len(p) != 2 || p[0].MigratorURL.Reveal() != "postgres://m:east-pw@h/d" || p[1].Name != "west-2" {
		t.Errorf("placements = %v", p)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, v := range config.Describe() {
		value, given := all[v.Name]
		if !given {
			t.Errorf("%s is not covered by this test", v.Name)
		}
		switch v.Name { // printed in canonical form
		case "INSULA_TRUSTED_PROXIES":
			value = "10.0.0.0/8,::1/128"
		case "INSULA_CORS_ORIGINS":
			value = strings.ReplaceAll(value, " ", "")
		case "INSULA_LOG_LEVEL":
			value = "DEBUG"
		case "INSULA_PLACEMENTS":
			value = "east [redacted] [redacted]; west-2 [redacted] [redacted]"
		case "INSULA_ACCESS_TOKEN_TTL", "INSULA_REFRESH_TTL", "INSULA_SESSION_IDLE", "INSULA_KEY_ROTATION":
			d, err := time.ParseDuration(value)
			if err != nil {
				t.Fatal(err)
			}
			value = d.String()
		}
		if v.Secret {
			value = "[redacted]"
		}
		if !strings.Contains(out.String(), v.Name+"="+value+"\n") {
			t.Errorf("Print lacks %s=%s in\n%s", v.Name, value, out.String())
		}
	}
	for _, leak := range []string{"app-pw", "mig-pw", "redis-pw", "s3-pw", "smtp-pw", "east-pw", key(1), key(2), key(3)} {
		if strings.Contains(out.String(), leak) || strings.Contains(fmt.Sprintf("%+v %#v", c, c), leak) {
			t.Errorf("%q is printed", leak)
		}
	}
}

func TestEachProblemIsOneLine(t *testing.T) {
	tests := map[string]struct{ name, value, want string }{
		"missing":           {"DATABASE_URL", "", "DATABASE_URL must be set"},
		"short key":         {"INSULA_SECRET_KEY", "c2hvcnQ=", "INSULA_SECRET_KEY must be 32 bytes"},
		"older peppers":     {"INSULA_PASSWORD_PEPPERS_OLD", key(3) + ",%%%", "INSULA_PASSWORD_PEPPERS_OLD must be keys"},
		"key not base64":    {"INSULA_PASSWORD_PEPPER", "%%%", "INSULA_PASSWORD_PEPPER must be 32 bytes"},
		"same keys":         {"INSULA_PASSWORD_PEPPER", key(1), "INSULA_PASSWORD_PEPPER must differ"},
		"not a number":      {"INSULA_DB_MAX_CONNS", "many", "INSULA_DB_MAX_CONNS must be a whole number"},
		"below range":       {"INSULA_DB_MAX_CONNS", "0", "INSULA_DB_MAX_CONNS must be from 1 to 1000"},
		"above range":       {"INSULA_BCRYPT_COST", "17", "INSULA_BCRYPT_COST must be from 10 to 16"},
		"not a duration":    {"INSULA_DRAIN_TIMEOUT", "15", "INSULA_DRAIN_TIMEOUT must be a duration"},
		"duration range":    {"INSULA_ACCESS_TOKEN_TTL", "2h", "INSULA_ACCESS_TOKEN_TTL must be from 1m to 1h"},
		"negative duration": {"INSULA_REFRESH_GRACE", "-1s", "INSULA_REFRESH_GRACE must be from"},
		"not a boolean":     {"S3_PATH_STYLE", "yes please", "S3_PATH_STYLE must be true or false"},
		"permissions":       {"INSULA_PERMISSIONS", "billing.refund", "INSULA_PERMISSIONS must be permissions such as billing.refund=Refund a payment., separated by semicolons"},
		"one of":            {"INSULA_LOG_FORMAT", "xml", "INSULA_LOG_FORMAT must be one of: json, text"},
		"level":             {"INSULA_LOG_LEVEL", "loud", "INSULA_LOG_LEVEL must be debug"},
		"address":           {"INSULA_HTTP_ADDR", "8080", "INSULA_HTTP_ADDR must be an address"},
		"port":              {"INSULA_HTTP_ADDR", "x:99999", "INSULA_HTTP_ADDR must be an address"},
		"same addresses":    {"INSULA_ADMIN_ADDR", "127.0.0.1:8080", "INSULA_ADMIN_ADDR must differ"},
		"public url path":   {"INSULA_PUBLIC_URL", "https://x/y", "INSULA_PUBLIC_URL must be a URL"},
		"public url slash":  {"INSULA_PUBLIC_URL", "https://x/", "INSULA_PUBLIC_URL must be a URL"},
		"public url scheme": {"INSULA_PUBLIC_URL", "ftp://x", "INSULA_PUBLIC_URL must be a URL"},
		"database scheme":   {"DATABASE_URL", "mysql://u:hunter2@h/d", "DATABASE_URL must be a URL that begins with postgres"},
		"redis scheme":      {"REDIS_URL", "http://h", "REDIS_URL must be a URL that begins with redis"},
		"smtp tls":          {"SMTP_URL", "smtp://u:hunter2@h?tls=maybe", "SMTP_URL must be a URL such as"},
		"smtp scheme":       {"SMTP_URL", "smtps://u:hunter2@h", "SMTP_URL must be a URL such as"},
		"smtp unparsable":   {"SMTP_URL", "smtp://u:hunter2\x7f@h", "SMTP_URL must be a URL such as"},
		"s3 endpoint":       {"S3_ENDPOINT", "127.0.0.1:9000", "S3_ENDPOINT must be a URL"},
		"s3 half a key":     {"S3_SECRET_KEY", "hunter2", "S3_ACCESS_KEY and S3_SECRET_KEY must be set together"},
		"mailbox":           {"INSULA_MAIL_FROM", "nobody", "INSULA_MAIL_FROM must be a mail address"},
		"domain":            {"INSULA_BASE_DOMAIN", "https://example.com", "INSULA_BASE_DOMAIN must be a domain"},
		"proxies":           {"INSULA_TRUSTED_PROXIES", "10.0.0.0/8,hunter2", "INSULA_TRUSTED_PROXIES must be networks"},
		"origin":            {"INSULA_CORS_ORIGINS", "https://a.example,*", "INSULA_CORS_ORIGINS must be origins"},
		"placement":         {"INSULA_PLACEMENTS", "east postgres://u:hunter2@h/d", "INSULA_PLACEMENTS must be placements such as east"},
		"placement name":    {"INSULA_PLACEMENTS", "East postgres://h/d postgres://h/d", "INSULA_PLACEMENTS must be placements such as east"},
		"placement main":    {"INSULA_PLACEMENTS", "main postgres://h/d postgres://h/d", "INSULA_PLACEMENTS must be placements such as east"},
		"placement twice":   {"INSULA_PLACEMENTS", "a postgres://h/d postgres://h/d;a postgres://h/d postgres://h/d", "INSULA_PLACEMENTS must be placements such as east"},
		"placement scheme":  {"INSULA_PLACEMENTS", "a postgres://h/d mysql://u:hunter2@h/d", "INSULA_PLACEMENTS must be placements such as east"},
		"misspelt":          {"INSULA_BCRYPT_COTS", "12", "INSULA_BCRYPT_COTS is not a known setting; did you mean INSULA_BCRYPT_COST?"},
		"nothing like it":   {"INSULA_FLUX", "hunter2", "INSULA_FLUX is not a known setting"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			values := minimal()
			values[tt.name] = tt.value
			_, err := config.Load(environ(values))
			var all *config.Error
			if !errors.As(err, &all) {
				t.Fatalf("error = %v", err)
			}
			if len(all.Problems) != 1 || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes the value: %v", err)
			}
			if name == "nothing like it" && strings.Contains(err.Error(), "mean") {
				t.Errorf("a far-fetched suggestion: %v", err)
			}
		})
	}
}

func TestAllProblemsAtOnceInOrder(t *testing.T) {
	_, err := config.Load([]string{"INSULA_ZZZZZZZZ=1", "INSULA_BCRYPT_COST=1", "INSULA_LOG_FORMAT=xml", "S3_PATH_STYLE=perhaps"})
	var all *config.Error
	if !errors.As(err, &all) {
		t.Fatalf("error = %v", err)
	}
	var names []string
	for _, p := range all.Problems {
		names = append(names, p.Variable)
	}
	want := "INSULA_PUBLIC_URL DATABASE_URL INSULA_MIGRATOR_URL S3_BUCKET S3_PATH_STYLE SMTP_URL INSULA_MAIL_FROM " +
		"INSULA_SECRET_KEY INSULA_PASSWORD_PEPPER INSULA_BCRYPT_COST INSULA_LOG_FORMAT INSULA_ZZZZZZZZ"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVariablesOfTheToolsAreNotUnknown(t *testing.T) {
	values := minimal()
	for _, name := range []string{"INSULA_DATA_DIR", "INSULA_PG_BIN", "INSULA_DEV_PORT", "INSULA_TEST_S3", "INSULA_TEST_S3_ACCESS_KEY", "INSULATION"} {
		values[name] = "x"
	}
	if _, err := config.Load(environ(values)); err != nil {
		t.Error(err)
	}
}

func TestTheProcessEnvironmentIsNotRead(t *testing.T) {
	for name, value := range minimal() {
		t.Setenv(name, value)
	}
	if _, err := config.Load(nil); err == nil {
		t.Error("settings came from somewhere else")
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range config.Describe() {
		if v.Name == "" || seen[v.Name] {
			t.Errorf("%q: no name of its own", v.Name)
		}
		seen[v.Name] = true
		if !strings.HasSuffix(v.Doc, ".") {
			t.Errorf("%s: no documentation in sentences: %q", v.Name, v.Doc)
		}
		if v.Required && v.Default != "" {
			t.Errorf("%s is required and has a default", v.Name)
		}
	}
	var page strings.Builder
	if err := config.Markdown(&page); err != nil {
		t.Fatal(err)
	}
	for name := range seen {
		if strings.Count(page.String(), "| `"+name+"` |") != 1 {
			t.Errorf("%s is not on the page", name)
		}
	}
	if !strings.Contains(page.String(), "| `INSULA_BCRYPT_COST` | number | `12` | Cost of password hashes; each step doubles the time of a login. Allowed: from 10 to 16. |") {
		t.Errorf("page:\n%s", page.String())
	}
}
