package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/insulahq/insula/platform/secret"
)

// check returns what is wrong with the value of a field that could be read, or "".
func check(f field) string {
	text := plain(f)
	switch {
	case text == "" && !f.required():
		return "" // not set
	case text == "":
		return "must be set" // it was there, but held nothing but separators
	case f.tag("range") != "" && !inRange(f):
		return "must be " + rangeText(f.tag("range"))
	case f.tag("oneof") != "" && !slices.Contains(strings.Split(f.tag("oneof"), ","), text):
		return "must be one of: " + strings.ReplaceAll(f.tag("oneof"), ",", ", ")
	}
	if form := f.tag("form"); form != "" && !forms[form].ok(text) {
		return forms[form].expected
	}
	return ""
}

// plain returns the value of a field as text, secrets included.
func plain(f field) string {
	switch v := f.value.Interface().(type) {
	case secret.Value:
		return v.Reveal()
	case secret.Key:
		return v.Encode().Reveal()
	default:
		return fmt.Sprint(v)
	}
}

func inRange(f field) bool {
	low, high, _ := strings.Cut(f.tag("range"), "..")
	if _, isDuration := f.value.Interface().(time.Duration); isDuration {
		return f.value.Int() >= int64(mustDuration(low)) && f.value.Int() <= int64(mustDuration(high))
	}
	return f.value.Int() >= mustInt(low) && f.value.Int() <= mustInt(high)
}

func rangeText(r string) string {
	low, high, _ := strings.Cut(r, "..")
	return "from " + low + " to " + high
}

func mustInt(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err) // a malformed tag, found by any test that calls Load
	}
	return n
}

func mustDuration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err) // a malformed tag, found by any test that calls Load
	}
	return d
}

// form is a named check of a text.
type form struct {
	ok       func(text string) bool
	expected string
}

var forms = map[string]form{
	"address":      {isAddress, "must be an address such as 127.0.0.1:8080"},
	"base-url":     {isBaseURL, "must be a URL such as https://insula.example.com, without path, query or user"},
	"http-url":     {isHTTPURL, "must be a URL that begins with http:// or https://"},
	"domain":       {domainForm.MatchString, "must be a domain such as example.com, in lower case"},
	"origins":      {areOrigins, "must be origins such as https://app.example.com, separated by commas"},
	"postgres-url": {hasScheme("postgres", "postgresql"), "must be a URL that begins with postgres:// or postgresql://"},
	"redis-url":    {hasScheme("redis", "rediss"), "must be a URL that begins with redis:// or rediss://"},
	"smtp-url":     {isSMTPURL, "must be a URL such as smtp://user:password@host:587?tls=starttls (none, starttls or implicit)"},
	"permissions":  {permissionsForm.MatchString, "must be permissions such as billing.refund=Refund a payment., separated by semicolons"},
	"keys":         {areKeys, "must be keys of 32 bytes in standard base64, or -, separated by commas"},
	"mailbox":      {isMailbox, "must be a mail address such as Insula <no-reply@example.com>"},
}

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

var permissionsForm = regexp.MustCompile(`^[a-z0-9_.]+(:owner)?=[^;=]+(;[a-z0-9_.]+(:owner)?=[^;=]+)*$`)

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

func isHTTPURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

func isBaseURL(text string) bool {
	u, err := url.Parse(text)
	return isHTTPURL(text) && err == nil && u.Path == "" && u.User == nil && !strings.ContainsAny(text, "?#")
}

func areOrigins(text string) bool {
	for origin := range strings.SplitSeq(text, ",") {
		if !isBaseURL(origin) {
			return false
		}
	}
	return true
}

// hasScheme looks at the beginning only: a list of hosts, which PostgreSQL's URLs may hold, is no URL to
// package url, and the driver says more about its own parameters than we could.
func hasScheme(schemes ...string) func(string) bool {
	return func(text string) bool {
		scheme, rest, ok := strings.Cut(text, "://")
		return ok && rest != "" && slices.Contains(schemes, scheme)
	}
}

func isSMTPURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" || u.Hostname() == "" {
		return false
	}
	return slices.Contains([]string{"", "none", "starttls", "implicit"}, u.Query().Get("tls"))
}

func isMailbox(text string) bool {
	_, err := mail.ParseAddress(text)
	return err == nil
}

func areKeys(text string) bool {
	_, err := secret.ParseKeys(text)
	return err == nil
}

// checkTogether finds settings that are right alone and wrong together.
func checkTogether(c Config) []Problem {
	var problems []Problem
	if (c.S3.AccessKey == "") != c.S3.SecretKey.IsZero() {
		problems = append(problems, Problem{"S3_ACCESS_KEY", "and S3_SECRET_KEY must be set together"})
	}
	if c.Security.SecretKey.Encode().Equal(c.Security.PasswordPepper.Encode()) {
		problems = append(problems, Problem{"INSULA_PASSWORD_PEPPER", "must differ from INSULA_SECRET_KEY"})
	}
	if c.HTTP.Addr == c.HTTP.AdminAddr && !strings.HasSuffix(c.HTTP.Addr, ":0") {
		problems = append(problems, Problem{"INSULA_ADMIN_ADDR", "must differ from INSULA_HTTP_ADDR"})
	}
	return problems
}
