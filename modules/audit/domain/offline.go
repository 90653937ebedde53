package domain

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrNoHeads says that there is nothing to hold an export against.
var ErrNoHeads = errors.New("an export proves nothing without a signed head")

// CheckExport holds an NDJSON export of the whole trail against signed heads,
// without a server. removal is the name of the operation whose records tell of
// removed ones: an export whose first numbers are gone begins at what the
// newest of them says. Records without a number were not sealed when they were
// exported and are only counted.
func CheckExport(export io.ReadSeeker, heads []Checkpoint, removal string) (Report, error) {
	if len(heads) == 0 {
		return Report{}, ErrNoHeads
	}
	var report Report
	edge, err := startOf(export, removal)
	if err != nil {
		return withFinding(report, err)
	}
	checker, err := NewChecker(edge, Listed(heads))
	if err != nil {
		return report, err
	}
	report.Removed = edge.Size()
	err = eachLine(export, func(l exported) error {
		if l.number == nil {
			report.Unsealed++
			return nil
		}
		if *l.number != checker.Size() {
			return &Finding{Kind: Missing, Number: checker.Size(),
				Detail: fmt.Sprintf("the export goes on with number %d", *l.number)}
		}
		_, err := checker.Add(l.id, tlog.RecordHash(l.canonical))
		return err
	})
	if err == nil {
		err = checker.Finish()
	}
	report.Size, report.Heads = checker.Size(), checker.Held()
	if err == nil && report.Heads == 0 {
		err = ErrNoHeads // all of them are about records that are gone
	}
	return withFinding(report, err)
}

// withFinding moves a finding from the error to the report.
func withFinding(r Report, err error) (Report, error) {
	var finding *Finding
	if errors.As(err, &finding) {
		r.Finding = finding
		return r, nil
	}
	return r, err
}

// exported is one line of an export.
type exported struct {
	canonical []byte
	number    *int64
	id        *uuid.UUID
}

// eachLine reads an export from its begin.
func eachLine(export io.ReadSeeker, visit func(exported) error) error {
	if _, err := export.Seek(0, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewScanner(export)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		canonical, number, err := ParseExportLine(lines.Bytes())
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		l := exported{canonical: canonical, number: number}
		if id, err := idOf(canonical); err == nil {
			l.id = &id
		}
		if err := visit(l); err != nil {
			return err
		}
	}
	return lines.Err()
}

// idOf reads the id, which every record begins with.
func idOf(canonical []byte) (uuid.UUID, error) {
	const begin, length = len(`{"id":"`), 36
	if len(canonical) < begin+length {
		return uuid.Nil, errors.New("a record without an id")
	}
	return uuid.ParseBytes(canonical[begin : begin+length])
}

// errFound ends a search.
var errFound = errors.New("found")

// startOf is the edge of the tree of the records that are gone before the
// first of the export; the record of their removal has it.
func startOf(export io.ReadSeeker, removal string) (Edge, error) {
	first := int64(0)
	err := eachLine(export, func(l exported) error {
		if l.number != nil {
			first = *l.number
			return errFound
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFound) || first == 0 {
		return Edge{}, ignore(err)
	}
	edge := Edge{}
	err = eachLine(export, func(l exported) error {
		var record struct {
			Operation string  `json:"operation"`
			After     Removal `json:"after"`
		}
		if json.Unmarshal(l.canonical, &record) != nil || record.Operation != removal || record.After.RemovedBefore != first {
			return nil //nolint:nilerr // a record of another kind has another shape
		}
		if edge, err = record.After.Start(); err != nil {
			return err
		}
		return errFound
	})
	if err == nil {
		return Edge{}, &Finding{Kind: Missing, Detail: fmt.Sprintf("the export begins with number %d, and no record says that the ones before were removed", first)}
	}
	return edge, ignore(err)
}

func ignore(err error) error {
	if errors.Is(err, errFound) {
		return nil
	}
	return err
}
