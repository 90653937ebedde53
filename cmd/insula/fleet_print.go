package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/insulahq/insula/platform/pg/fleet"
)

// teller tells how an apply goes: a bar on a terminal, a line for each tenant
// elsewhere, JSON where that is asked for.
type teller struct {
	out    io.Writer
	bar    io.Writer // nil when there is none
	asJSON bool
	of     int
	done   int
	failed int
}

func newTeller(out, progress io.Writer, asJSON bool) *teller {
	return &teller{out: out, bar: terminal(progress), asJSON: asJSON}
}

func (t *teller) planned(behind int) { t.of = behind }

// tenantLine is what --json prints for each tenant.
type tenantLine struct {
	Tenant  string   `json:"tenant"`
	Canary  bool     `json:"canary,omitempty"`
	Applied []string `json:"applied,omitempty"`
	TookMS  float64  `json:"took_ms"`
	Error   string   `json:"error,omitempty"`
	Moving  bool     `json:"moving,omitempty"` // passed by: it is being moved
}

func (t *teller) outcome(o fleet.Outcome) {
	if !o.Moving {
		t.done++
	}
	if o.Err != nil {
		t.failed++
	}
	switch {
	case t.asJSON:
		line := tenantLine{Tenant: o.Tenant.Slug, Canary: o.Canary, Moving: o.Moving, Applied: o.Applied, TookMS: float64(o.Took.Microseconds()) / 1000}
		if o.Err != nil {
			line.Error = o.Err.Error()
		}
		_ = json.NewEncoder(t.out).Encode(line) // a closed output must not stop half-way
	case t.bar != nil && o.Err == nil && !o.Moving:
		t.draw()
	default:
		t.clear()
		fmt.Fprintf(t.out, "%d/%d %s: %s\n", t.done, t.of, o.Tenant.Slug, said(o))
		if t.bar != nil {
			t.draw()
		}
	}
}

// passedBy is said of tenants that the fleet leaves alone for the time being.
const passedBy = "passed by: it is being moved, and taken by the next run"

func said(o fleet.Outcome) string {
	if o.Moving {
		return passedBy
	}
	as := ""
	if o.Canary {
		as = " (canary)"
	}
	if o.Err != nil {
		return "FAILED" + as + ": " + o.Err.Error()
	}
	return fmt.Sprintf("applied %d in %d ms%s", len(o.Applied), o.Took.Milliseconds(), as)
}

func (t *teller) draw() {
	fmt.Fprintf(t.bar, "\r%s %d/%d, %d failed ", bar(t.done, t.of), t.done, t.of, t.failed)
}

// clear takes the bar away before a line is printed.
func (t *teller) clear() { clearBar(t.bar) }

func (t *teller) end(r fleet.Report) error {
	t.clear()
	if t.asJSON {
		return json.NewEncoder(t.out).Encode(r)
	}
	text := fmt.Sprintf("tenants: %d brought to version %d", r.Done, r.Target)
	if r.Done+r.Failed+r.Left+r.Moving+r.Erased == 0 {
		text = fmt.Sprintf("tenants: all at version %d", r.Target)
	}
	for _, part := range []struct {
		n    int
		what string
	}{{r.Failed, "failed"}, {r.Left, "not begun"}, {r.Moving, "passed by while they are being moved"}, {r.Erased, "erased meanwhile"}, {r.Newer, "newer than this binary"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	_, err := fmt.Fprintln(t.out, text)
	return err
}

func printPlan(out io.Writer, p fleet.Plan, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(p)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range p.Behind {
		fmt.Fprintf(w, "%s\t%d -> %d\t%s\n", t.Slug, t.Version, p.Target, lastFailure(t))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printMoving(out, p.Moving)
	_, err := fmt.Fprintf(out, "%d behind version %d, %d beyond it\n", len(p.Behind), p.Target, p.Newer)
	return err
}

func printMoving(out io.Writer, moving []fleet.Tenant) {
	for _, t := range moving {
		fmt.Fprintf(out, "%s at version %d: %s\n", t.Slug, t.Version, passedBy)
	}
}

func lastFailure(t fleet.Tenant) string {
	if !t.Failed {
		return ""
	}
	return fmt.Sprintf("failed %d times: %s", t.Attempts, t.Error)
}

func printStatus(out io.Writer, s fleet.Status, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(s)
	}
	fmt.Fprintf(out, "this binary: version %d\n", s.Target)
	for _, v := range s.Versions {
		fmt.Fprintf(out, "%d tenants at version %d\n", v.Tenants, v.Version)
	}
	for _, v := range s.Spares {
		fmt.Fprintf(out, "%d spare schemas at version %d, %d of them ready\n", v.Spares, v.Version, v.Ready)
	}
	for _, t := range s.Failed {
		fmt.Fprintf(out, "failed: %s at version %d: %s\n", t.Slug, t.Version, lastFailure(t))
	}
	printMoving(out, s.Moving)
	if s.Freeze == nil {
		return nil
	}
	_, err := fmt.Fprintf(out, "frozen since %s by %s: %s\n", s.Freeze.At.UTC().Format("2006-01-02 15:04:05"), s.Freeze.By, s.Freeze.Reason)
	return err
}
