package api

import (
	"context"
	"encoding/csv"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

const (
	typeNDJSON = "application/x-ndjson"
	typeCSV    = "text/csv; charset=utf-8"
)

type exportInput struct {
	Format string `query:"format" enum:"ndjson,csv" default:"ndjson" doc:"ndjson: one record a line, as it is sealed, in the order of the tree: fit to be checked. csv: for spreadsheets."`
	AuditFilters
}

func (a *API) export(ctx context.Context, in *exportInput) (*httpx.Stream, error) {
	spec, err := in.spec()
	if err != nil {
		return nil, err
	}
	r := scope.From(ctx)
	s := &httpx.Stream{ContentType: typeNDJSON, Name: "audit-" + r.Tenant.Slug + ".ndjson"}
	form := WriteNDJSON
	if in.Format == "csv" {
		s.ContentType, s.Name, form = typeCSV, "audit-"+r.Tenant.Slug+".csv", WriteCSV
	}
	s.Write = func(ctx context.Context, w *httpx.StreamWriter) error {
		write, end := form(w)
		if err := a.evidence(r).Export(ctx, spec, write); err != nil {
			return err
		}
		return end()
	}
	return s, nil
}

// WriteNDJSON writes records as lines of JSON: their canonical bytes with
// their number in the tree as the last field. Call end after the last.
func WriteNDJSON(w io.Writer) (write func(domain.Event, *int64) error, end func() error) {
	write = func(e domain.Event, number *int64) error {
		line, err := domain.ExportLine(e, number)
		if err != nil {
			return err
		}
		_, err = w.Write(append(line, '\n'))
		return err
	}
	return write, func() error { return nil }
}

var csvColumns = []string{
	"number", "id", "at", "operation", "outcome", "code", "rule", "actor_kind", "actor_id", "actor_label", "session_id",
	"target_kind", "target_id", "target_label", "before", "after", "request_id", "address", "client",
}

// WriteCSV writes records as rows (RFC 4180) under a row of names. Call end
// after the last.
func WriteCSV(w io.Writer) (write func(domain.Event, *int64) error, end func() error) {
	rows := csv.NewWriter(w)
	rows.UseCRLF = true
	err := rows.Write(csvColumns)
	write = func(e domain.Event, number *int64) error {
		if err != nil {
			return err
		}
		return rows.Write(csvRow(e, number))
	}
	end = func() error {
		rows.Flush()
		return rows.Error()
	}
	return write, end
}

func csvRow(e domain.Event, number *int64) []string {
	n := ""
	if number != nil {
		n = strconv.FormatInt(*number, 10)
	}
	row := []string{
		n, e.ID.String(), e.At.UTC().Format(time.RFC3339Nano), e.Operation, e.Outcome, e.Code, e.Rule,
		e.Actor.Kind, text(e.Actor.ID), e.Actor.Label, text(e.SessionID),
		e.Target.Kind, e.Target.ID, e.Target.Label, string(e.Before), string(e.After), e.RequestID, e.Address, e.Client,
	}
	for i, cell := range row {
		row[i] = harmless(cell)
	}
	return row
}

func text(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

// formula matches what a spreadsheet may take for the beginning of a formula or
// of a command, in the full width of East Asian scripts too, and behind the
// spaces that some of them pass over.
var formula = regexp.MustCompile("^[ \u00a0]*[=+\\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]")

// harmless keeps a spreadsheet from taking what somebody wrote into a name for
// a formula: such a cell begins with an apostrophe.
func harmless(cell string) string {
	if formula.MatchString(cell) {
		return "'" + cell
	}
	return cell
}
