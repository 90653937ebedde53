package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/modules/users/infra"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Administer the keys that sign access tokens."}
	cmd.AddCommand(keysListCommand(), keysRotateCommand())
	return cmd
}

func keysListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the signing keys, the newest first.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				all, err := p.KeyRing.Store().List(cmd.Context())
				if err != nil {
					return err
				}
				return printKeys(cmd.OutOrStdout(), all, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one key a line")
	return cmd
}

func keysRotateCommand() *cobra.Command {
	var compromised, asJSON bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Make the next signing key and print all of them.",
		Long: "Make the next signing key and print all of them.\n\n" +
			"The new key is published at once and signs ten minutes later, when every process and every client that\n" +
			"verifies tokens knows it. The key before it verifies until its last token is over. Nobody is signed out.\n\n" +
			"With --compromised the new key signs at once and all others end: every access token out there stops\n" +
			"working as soon as the processes notice, within a minute, and clients refresh.\n\n" +
			"The operator's trail tells who did it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				if err := wiregen.RotateKeys(cmd.Context(), p, compromised); err != nil {
					return err
				}
				all, err := p.KeyRing.Store().List(cmd.Context())
				if err != nil {
					return err
				}
				return printKeys(cmd.OutOrStdout(), all, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&compromised, "compromised", false, "somebody else may have the keys so far: end them now")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one key a line")
	return cmd
}

func printKeys(out io.Writer, all []infra.KeyInfo, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(out)
		for _, k := range all {
			if err := lines.Encode(k); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "GENERATION\tCREATED\tSIGNS FROM\tEXPIRES\tID")
	for _, k := range all {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", k.Generation, k.CreatedAt.Format(time.RFC3339),
			k.SignsFrom.Format(time.RFC3339), k.ExpiresAt.Format(time.RFC3339), k.ID)
	}
	return w.Flush()
}
