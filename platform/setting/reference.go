package setting

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Markdown prints the reference page of all settings.
func (r *Registry) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Settings of a tenant\n\n" +
		"Printed from the binary by `insula settings`; do not edit. Read them at `GET /v1/settings`, change them at\n" +
		"`PATCH /v1/settings`; the operator reads and changes those of a tenant at `/v1/tenants/{id}/settings` and with\n" +
		"`insula tenant settings`. A change is recorded with the values before and after and holds at the next request on every node.\n")
	module := ""
	for _, d := range r.all {
		if d.Module() != module {
			module = d.Module()
			fmt.Fprintf(&b, "\n## %s\n\n| setting | meaning | type | allowed | default | who may change it |\n|---|---|---|---|---|---|\n", module)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", d.Name, d.Doc, d.Kind, d.Allowed(), d.defaultText(), d.Who)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Allowed says in words which values are allowed.
func (d Def) Allowed() string {
	switch d.Kind {
	case Int:
		return strings.TrimSpace(fmt.Sprintf("%d to %d %s", d.Min, d.Max, d.Unit))
	case Duration:
		return Plain(time.Duration(d.Min)) + " to " + Plain(time.Duration(d.Max))
	case Word:
		return strings.Join(d.Words, ", ")
	case List:
		return fmt.Sprintf("at most %d entries of at most %d bytes", d.Max, d.MaxText)
	case Bool:
		return "true, false"
	}
	return ""
}

func (d Declared) defaultText() string {
	if d.Variable != "" {
		return "that of `" + d.Variable + "`"
	}
	text, err := json.Marshal(d.show(d.value))
	if err != nil {
		return ""
	}
	return "`" + string(text) + "`"
}
