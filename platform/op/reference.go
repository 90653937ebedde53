package op

import (
	"fmt"
	"io"
	"strings"
)

// Markdown prints the reference page of all operations.
func (r *Registry) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Operations and permissions\n\n" +
		"Printed from the binary by `insula permissions`; do not edit. An operation is at once the permission\n" +
		"that a role is made of, the action in the audit trail, the label on the metric and the `operationId`\n" +
		"of the API document.\n")
	module := ""
	for _, d := range r.all {
		if d.Module() != module {
			module = d.Module()
			fmt.Fprintf(&b, "\n## %s\n\n| operation | what it does | who may | recorded |\n|---|---|---|---|\n", module)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, d.Summary, d.who(), d.recorded())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d Def) who() string {
	switch d.Guard {
	case ByPermission:
		if d.OwnerToo {
			return "holders of the permission, and who owns the " + d.Owned()
		}
		return "holders of the permission"
	case ByLandlord:
		return "holders of the permission in the operator's tenant"
	case BySession:
		if d.AnyKey {
			return "anybody signed in and every API key, about themselves"
		}
		return "anybody signed in, about themselves"
	case ByNobody:
		return "everybody: " + d.Reason
	case ByJob:
		return "background work"
	}
	return "nobody"
}

func (d Def) recorded() string {
	switch {
	case d.Quiet != "":
		return "never: " + d.Quiet
	case d.Writes:
		return "always"
	case d.Records:
		return "always, though it only reads"
	}
	return "refusals"
}
