package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/insulahq/insula/modules/usage"
	"github.com/insulahq/insula/platform/tenancy"
	wiregen "github.com/insulahq/insula/wire_gen"
)

type usageFlags struct {
	from, to    string
	all, asJSON bool
}

func tenantUsageCommand() *cobra.Command {
	var f usageFlags
	cmd := &cobra.Command{
		Use:   "usage {SLUG | --all}",
		Short: "Show what a tenant has, and its requests day by day; or all tenants, a line for each.",
		Long: "Show what a tenant has, and its requests day by day; or all tenants, a line for each with the sum of the days.\n" +
			"What a tenant has is counted now. Requests are told by each server some seconds after they came.",
		Example: "  insula tenant usage acme\n" +
			"  insula tenant usage acme --from 2026-11-01 --to 2026-11-30 --json\n" +
			"  insula tenant usage --all",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.all == (len(args) == 1) {
				return errors.New("name a tenant, or ask for --all")
			}
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				return tenantUsage(cmd.Context(), p, args, f, cmd.OutOrStdout())
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "first day (2026-11-01), in UTC; 29 days before the last one where none is given")
	flags.StringVar(&f.to, "to", "", "last day; today where none is given")
	flags.BoolVar(&f.all, "all", false, "all tenants that are served or suspended")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON, a line for each tenant")
	return cmd
}

func tenantUsage(ctx context.Context, p *wiregen.Process, args []string, f usageFlags, out io.Writer) error {
	from, err := dayOf(f.from)
	if err != nil {
		return err
	}
	to, err := dayOf(f.to)
	if err != nil {
		return err
	}
	s, err := wiregen.OperatorUsage(ctx, p)
	if err != nil {
		return err
	}
	show := func(id uuid.UUID) (usage.Report, error) { return s.GetOf(ctx, id, from, to) }
	if f.all {
		return allUsage(ctx, p, show, f.asJSON, out)
	}
	t, err := p.Directory.BySlug(ctx, args[0])
	if err != nil {
		return err
	}
	report, err := show(t.ID)
	if err != nil {
		return err
	}
	return printUsage(out, report, f.asJSON)
}

// dayOf reads a day; none for no text.
func dayOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("a day is written as in 2026-11-30, not %q", text)
	}
	return day, nil
}

// usagePage is after how many tenants a table is printed.
const usagePage = 50

// allUsage prints tenants as they are measured, page by page.
func allUsage(ctx context.Context, p *wiregen.Process, show func(uuid.UUID) (usage.Report, error), asJSON bool, out io.Writer) error {
	all, err := p.Directory.Served(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(all, usagePage) {
		var reports []usage.Report
		for _, t := range some {
			report, err := show(t.ID)
			if errors.Is(err, tenancy.ErrUnknown) {
				continue // it has gone meanwhile
			}
			if err != nil {
				return fmt.Errorf("%s: %w", t.Slug, err)
			}
			reports = append(reports, report)
		}
		if err := printUsages(out, reports, asJSON); err != nil {
			return err
		}
	}
	return nil
}

// usageLine is a line of `tenant usage --json`.
type usageLine struct {
	TenantID   uuid.UUID        `json:"tenant_id"`
	Slug       string           `json:"slug"`
	MeasuredAt time.Time        `json:"measured_at"`
	Amounts    map[string]int64 `json:"amounts"`
	Requests   []usageDay       `json:"requests"`
}

type usageDay struct {
	Day      string `json:"day"`
	Answered int64  `json:"answered"`
	Limited  int64  `json:"limited"`
	Failed   int64  `json:"failed"`
}

func usageLineOf(r usage.Report) usageLine {
	line := usageLine{TenantID: r.Tenant.ID, Slug: r.Tenant.Slug, MeasuredAt: r.At, Amounts: map[string]int64{}, Requests: []usageDay{}}
	for _, a := range r.Amounts {
		line.Amounts[a.Name] = a.Value
	}
	for _, d := range r.Days {
		line.Requests = append(line.Requests, usageDay{Day: d.Day.Format(time.DateOnly), Answered: d.Answered, Limited: d.Limited, Failed: d.Failed})
	}
	return line
}

// printUsage prints what one tenant has, and then its days.
func printUsage(out io.Writer, r usage.Report, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(usageLineOf(r))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, a := range r.Amounts {
		fmt.Fprintf(w, "%s\t%d\n", a.Name, a.Value)
	}
	fmt.Fprintln(w, "\nDAY\tANSWERED\tLIMITED\tFAILED")
	for _, d := range r.Days {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", d.Day.Format(time.DateOnly), d.Answered, d.Limited, d.Failed)
	}
	return w.Flush()
}

// printUsages prints a line for each tenant, with the sum of its days.
func printUsages(out io.Writer, all []usage.Report, asJSON bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, r := range all {
		if asJSON {
			if err := json.NewEncoder(out).Encode(usageLineOf(r)); err != nil {
				return err
			}
			continue
		}
		if i == 0 {
			fmt.Fprintln(w, strings.Join(append(headingsOf(r), "ANSWERED", "LIMITED", "FAILED"), "\t"))
		}
		fmt.Fprint(w, r.Tenant.Slug)
		for _, a := range r.Amounts {
			fmt.Fprintf(w, "\t%d", a.Value)
		}
		var sum usage.Day
		for _, d := range r.Days {
			sum.Answered, sum.Limited, sum.Failed = sum.Answered+d.Answered, sum.Limited+d.Limited, sum.Failed+d.Failed
		}
		fmt.Fprintf(w, "\t%d\t%d\t%d\n", sum.Answered, sum.Limited, sum.Failed)
	}
	return w.Flush()
}

func headingsOf(r usage.Report) []string {
	headings := []string{"SLUG"}
	for _, a := range r.Amounts {
		headings = append(headings, strings.ToUpper(a.Name))
	}
	return headings
}
