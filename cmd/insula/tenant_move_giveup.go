package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/insulahq/insula/modules/tenants/domain"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// givenUp is what is printed of a move that was given up.
type givenUp struct {
	Operation uuid.UUID `json:"operation"`
	Slug      string    `json:"slug"`
	Placement string    `json:"placement"` // where the tenant is
	Remains   string    `json:"remains,omitempty"`
	Undoing   bool      `json:"undoing"` // what was made in the new placement is being removed
}

func giveUpMove(cmd *cobra.Command, slug string, asJSON bool) error {
	return withProcess(cmd.Context(), func(p *wiregen.Process) error {
		t, err := p.Directory.Registered(cmd.Context(), slug)
		if err != nil {
			return err
		}
		c, e, err := wiregen.GiveUpMove(cmd.Context(), p, t)
		if err != nil {
			return err
		}
		told := givenUp{Operation: c.Operation, Slug: t.Slug, Placement: c.To, Remains: e.Remains, Undoing: e.Step == domain.Undoing}
		if e.Failed {
			told.Placement = c.From
		}
		return told.print(cmd.OutOrStdout(), asJSON)
	})
}

func (g givenUp) print(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(g)
	}
	fmt.Fprintf(out, "the move of %s is given up: it is in %s\n", g.Slug, g.Placement)
	if g.Undoing {
		fmt.Fprintf(out, "a server that runs removes what was made elsewhere; to watch, or to do it here: insula tenant follow %s\n", g.Operation)
	}
	if g.Remains != "" {
		fmt.Fprintf(out, "%s may still have rows of it, which are removed when it answers again: see insula placement clean --help\n", g.Remains)
	}
	return nil
}
