package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// summary is dev.json: how to reach everything, for scripts.
type summary struct {
	API         string           `json:"api"`
	Docs        string           `json:"docs"`
	Metrics     string           `json:"metrics"`
	Mail        string           `json:"mail"`
	S3          string           `json:"s3"`
	DatabaseURL string           `json:"database_url"`
	RedisURL    string           `json:"redis_url"`
	Operator    login            `json:"operator"`
	Tenants     map[string]login `json:"tenants"`
}

// login opens one demo tenant.
type login struct {
	Slug     string `json:"slug"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// summary collects what is running.
func (p *parts) summary(demo []demoTenant) summary {
	api := p.settings.http.local()
	s := summary{
		API: api, Docs: api + "/docs", Metrics: p.settings.admin.local() + "/metrics",
		Mail: p.mailPage, S3: p.env.get("S3_ENDPOINT"),
		DatabaseURL: p.env.get("DATABASE_URL"), RedisURL: p.env.get("REDIS_URL"),
		Tenants: map[string]login{},
	}
	for _, t := range demo {
		if t.kind == kindOperator {
			s.Operator = t.login
		} else {
			s.Tenants[t.login.Slug] = t.login
		}
	}
	return s
}

// write stores the summary for its owner alone.
func (s summary) write(path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(path, append(text, '\n'))
}

// print tells a person.
func (s summary) print(w io.Writer, logs string, took time.Duration) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, "  "+strings.Join(cells, "\t")) }
	row("API", s.API)
	row("Docs", s.Docs)
	row("Metrics", s.Metrics)
	if s.Mail != "" {
		row("Mail", s.Mail)
	}
	row("S3", s.S3)
	row("Database", s.DatabaseURL)
	row("Logs", logs)
	fmt.Fprintln(t)
	row("Tenant", "E-mail", "Password")
	row(s.Operator.Slug, s.Operator.Email, s.Operator.Password)
	for _, slug := range demoSlugs {
		l := s.Tenants[slug]
		row(l.Slug, l.Email, l.Password)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nInsula is up after %.1f s. Ctrl-C stops it.\n\n%s\n", took.Seconds(), b.String())
	return err
}
