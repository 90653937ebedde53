package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/jobs"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// longFlags are what commands that begin long work have in common.
type longFlags struct{ wait, asJSON bool }

func (f *longFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.wait, "wait", false, "do the work here and tell how it goes; without it a server that runs does it")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

// begun is what a command prints of long work that it began.
type begun struct {
	Operation tenantsapi.Operation `json:"operation"`
	Backup    *tenantsapi.Backup   `json:"backup,omitempty"`
	Slug      string               `json:"slug,omitempty"` // of the tenant that is made or put back
}

// errLongWork says that long work ended without success; why, was printed.
var errLongWork = errors.New("the operation failed")

// finish prints what was begun or, where that is asked for, waits for its end.
// Ended completes what is printed then.
func finish(cmd *cobra.Command, p *wiregen.Process, f longFlags, b begun, ended func(context.Context, *begun) error) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	if f.wait {
		o, err := follow(ctx, p, b.Operation.ID, newWatch(cmd.ErrOrStderr()))
		if err != nil {
			return err
		}
		b.Operation = tenantsapi.ShowOperation(o)
		if err := ended(ctx, &b); err != nil {
			return err
		}
	}
	if err := printBegun(out, b, f.asJSON); err != nil {
		return err
	}
	if b.Operation.Status == string(domain.Broken) {
		return errLongWork
	}
	return nil
}

func printBegun(out io.Writer, b begun, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(b)
	}
	fmt.Fprintf(out, "operation %s: %s\n", b.Operation.ID, operationText(b.Operation))
	if b.Backup != nil {
		printBackup(out, *b.Backup)
	}
	if b.Operation.Moved != nil {
		printMoved(out, *b.Operation.Moved)
	}
	if b.Slug != "" && b.Operation.Status == string(domain.Succeeded) {
		fmt.Fprintf(out, "tenant %s is ready\n", b.Slug)
	}
	if b.Operation.Status == string(domain.Running) {
		fmt.Fprintf(out, "a server that runs does it; to watch, or to do it here: insula tenant follow %s\n", b.Operation.ID)
	}
	return nil
}

func operationText(o tenantsapi.Operation) string {
	text := fmt.Sprintf("%s %s, %d %%", o.Kind, o.Status, o.Progress)
	if o.Error != nil {
		text += fmt.Sprintf(": %s (%s)", o.Error.Detail, o.Error.Code)
	}
	return text
}

// lookEvery is how often long work is asked how far it is, and againAfter how
// long after an attempt that failed the next one begins.
const (
	lookEvery  = 250 * time.Millisecond
	againAfter = 5 * time.Second
)

// follow does long work here, or waits for the process that is at it, until it
// is over.
func follow(ctx context.Context, p *wiregen.Process, id uuid.UUID, w *watch) (domain.Operation, error) {
	service, err := wiregen.OperatorTenants(ctx, p)
	if err != nil {
		return domain.Operation{}, err
	}
	defer w.end()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var attempt <-chan error
	var last time.Time // when an attempt ended
	for {
		if attempt == nil && time.Since(last) >= againAfter {
			attempt = p.Copier.Start(id)
		}
		select {
		case err := <-attempt: // how it went, the operation says
			if errors.Is(err, jobs.ErrStopped) {
				return domain.Operation{}, err
			}
			attempt, last = nil, time.Now()
		case <-tick.C:
		case <-ctx.Done():
			return domain.Operation{}, fmt.Errorf("interrupted; a server that runs goes on with it, and so does insula tenant follow %s", id)
		}
		o, err := service.GetOperation(ctx, id)
		if err != nil || o.Status != domain.Running {
			return o, err
		}
		w.tell(tenantsapi.ShowOperation(o))
	}
}

// watch tells how long work goes: a bar on a terminal, elsewhere a line when
// there is news.
type watch struct {
	out  io.Writer
	bar  io.Writer // nil when there is none
	said string
}

func newWatch(out io.Writer) *watch { return &watch{out: out, bar: terminal(out)} }

// newsEvery is how many per cent are worth a line.
const newsEvery = 10

func (w *watch) tell(o tenantsapi.Operation) {
	if w.bar != nil {
		clearBar(w.bar)
		fmt.Fprintf(w.bar, "%s %s", bar(o.Progress, 100), operationText(o))
		return
	}
	o.Progress -= o.Progress % newsEvery
	if text := operationText(o); text != w.said {
		w.said = text
		fmt.Fprintln(w.out, text)
	}
}

func (w *watch) end() { clearBar(w.bar) }

func tenantFollowCommand() *cobra.Command {
	f := longFlags{wait: true}
	cmd := &cobra.Command{
		Use:   "follow OPERATION-ID",
		Short: "Watch a backup, restore, clone or move until it is over, and do it here if nobody does.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return fmt.Errorf("operation id: %w", err)
			}
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				return finish(cmd, p, f, begun{Operation: tenantsapi.Operation{ID: id}}, func(context.Context, *begun) error { return nil })
			})
		},
	}
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}
