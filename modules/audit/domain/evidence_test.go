package domain_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/audit/domain"
)

var tenantID = uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d")

func event(n int) domain.Event {
	return domain.Event{
		ID: uuid.UUID{6: 0x70, 8: 0x80, 15: byte(n)}, At: time.Date(2026, 5, 4, 12, 0, 0, 1000*n, time.UTC),
		Operation: "users.update", Outcome: "done", Actor: domain.Actor{Kind: "user", Label: `Ada "A" \ `},
		Before: json.RawMessage(`{"b": [1.50, null, true], "a": "<é\u2028\u0001>"}`), Client: `,"number":7}`,
	}
}

// The bytes are what auditors hash: a change of them breaks every old head.
func TestCanonicalBytesStayAsTheyAre(t *testing.T) {
	got, err := domain.Canonical(event(3))
	want := `{"id":"00000000-0000-7000-8000-000000000003","at":"2026-05-04T12:00:00.000003Z","operation":"users.update","outcome":"done",` +
		`"code":"","rule":"","actor":{"kind":"user","id":null,"label":"Ada \"A\" \\ "},"session_id":null,"target":{"kind":"","id":"","label":""},` +
		`"before":{"a":"<é` + "\u2028" + `\u0001>","b":[1.50,null,true]},"after":null,"request_id":"","address":"","client":",\"number\":7}"}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if !json.Valid(got) {
		t.Error("not JSON")
	}
}

func TestExportLinesComeApart(t *testing.T) {
	for _, number := range []*int64{nil, new(int64), pointer(1234567)} {
		line, err := domain.ExportLine(event(1), number)
		if err != nil || !json.Valid(line) {
			t.Fatal(string(line), err)
		}
		whole, _ := domain.Canonical(event(1))
		canonical, got, err := domain.ParseExportLine(append(line, '\r', '\n'))
		if err != nil || !bytes.Equal(canonical, whole) || (got == nil) != (number == nil) || got != nil && *got != *number {
			t.Errorf("%s comes apart as %s, %v, %v", line, canonical, got, err)
		}
	}
}

func pointer(n int64) *int64 { return &n }

// The edge of a tree agrees with package tlog at every size.
func TestEdgeAgreesWithTlog(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Int64Range(1, 300).Draw(rt, "records")
		var edge domain.Edge
		var stored []tlog.Hash
		read := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
			for _, i := range at {
				out = append(out, stored[i])
			}
			return out, nil
		})
		for i := range n {
			leaf := tlog.RecordHash([]byte(fmt.Sprint(i)))
			want, err := tlog.StoredHashesForRecordHash(i, leaf, read)
			if err != nil {
				rt.Fatal(err)
			}
			got := edge.Append(leaf)
			if !bytes.Equal(domain.Pack(got), domain.Pack(want)) {
				rt.Fatalf("record %d stores %v, want %v", i, got, want)
			}
			stored = append(stored, got...)
		}
		root, err := tlog.TreeHash(n, read)
		if err != nil || edge.Root() != root {
			rt.Fatalf("root of %d: %v, want %v (%v)", n, edge.Root(), root, err)
		}
		parts, _ := read(domain.EdgePositions(n))
		again, err := domain.NewEdge(n, parts)
		if err != nil || again.Root() != root {
			rt.Fatalf("read back: %v, %v", again.Root(), err)
		}
	})
}

// exported makes the lines of n records, and lines with a head after each ten.
func exported(t *testing.T, n int, withLeaves bool) (lines, heads []string, key string) {
	t.Helper()
	signer, err := domain.NewHeadKey(tenantID, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	var edge domain.Edge
	var leaves []tlog.Hash
	for i := range n {
		number := int64(i)
		line, err := domain.ExportLine(event(i), &number)
		if err != nil {
			t.Fatal(err)
		}
		leaf, _ := domain.LeafHash(event(i))
		edge.Append(leaf)
		leaves = append(leaves, leaf)
		lines = append(lines, string(line))
		if i%10 == 9 || i == n-1 {
			head, err := signer.Sign(domain.Head{Tenant: tenantID, Size: edge.Size(), Root: edge.Root(), At: event(i).At})
			if err != nil {
				t.Fatal(err)
			}
			kept := domain.HeadLine{Head: head}
			if withLeaves {
				kept.Leaves = domain.Pack(leaves)
			}
			text, _ := json.Marshal(kept)
			heads, leaves = append(heads, string(text)), nil
		}
	}
	return lines, heads, signer.Public()
}

func check(t *testing.T, lines, heads []string, key string) domain.Report {
	t.Helper()
	points, err := domain.ParseHeads(strings.NewReader("{\"msg\":\"another line of the log\"}\n"+strings.Join(heads, "\n")), "kept", key)
	if err != nil {
		t.Fatal(err)
	}
	report, err := domain.CheckExport(strings.NewReader(strings.Join(lines, "\n")+"\n"), points, "audit.expire")
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAnExportIsCheckedWithoutAServer(t *testing.T) {
	lines, heads, key := exported(t, 25, true)
	unsealed, _ := domain.ExportLine(event(99), nil)
	whole := append(lines[:25:25], string(unsealed))
	if r := check(t, whole, heads, key); r.Finding != nil || r.Size != 25 || r.Heads != 3 || r.Unsealed != 1 {
		t.Errorf("%+v", r)
	}
	for name, tc := range map[string]struct {
		lines  []string
		kind   string
		number int64
	}{
		"a byte":       {with(lines, 13, strings.Replace(lines[13], "Ada", "Bda", 1)), domain.Changed, 13},
		"a record":     {append(lines[:13:13], lines[14:]...), domain.Missing, 13},
		"the last":     {lines[:22], domain.Cut, 22},
		"nothing left": {nil, domain.Cut, 0},
		"two swapped": {with(with(lines, 12, strings.Replace(lines[17], `"number":17`, `"number":12`, 1)), 17,
			strings.Replace(lines[12], `"number":12`, `"number":17`, 1)), domain.Changed, 12},
	} {
		r := check(t, tc.lines, heads, key)
		if r.Finding == nil || r.Finding.Kind != tc.kind || r.Finding.Number != tc.number {
			t.Errorf("%s: found %v, want %s of %d", name, r.Finding, tc.kind, tc.number)
		}
	}
}

func with(lines []string, at int, line string) []string {
	changed := append([]string(nil), lines...)
	changed[at] = line
	return changed
}

func TestHeadsAloneNameTheRange(t *testing.T) {
	lines, heads, key := exported(t, 25, false)
	r := check(t, with(lines, 13, strings.Replace(lines[13], "Ada", "Bda", 1)), heads, key)
	if r.Finding == nil || r.Finding.Number != 10 || !strings.Contains(r.Finding.Detail, "10 to 19") {
		t.Errorf("found %v", r.Finding)
	}
}

func TestOnlyTheTenantsKeySigns(t *testing.T) {
	_, heads, key := exported(t, 5, true)
	other, err := domain.NewHeadKey(tenantID, bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ head, key string }{
		"another key":    {heads[0], other.Public()},
		"another size":   {strings.Replace(heads[0], `\n5\n`, `\n6\n`, 1), key},
		"another tenant": {strings.Replace(heads[0], "trail 0199", "trail 0198", 1), key},
		"no key at all":  {heads[0], "insula-audit/x+00000000+AAAA"},
	} {
		if _, err := domain.ParseHeads(strings.NewReader(tc.head), "kept", tc.key); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := other.Sign(domain.Head{Tenant: uuid.Max, Size: 1}); err == nil {
		t.Error("signed another tenant's head")
	}
}

// The records after a removal are checked from what its record says.
func TestAnExportWithoutItsOldestRecords(t *testing.T) {
	lines, heads, key := exported(t, 25, true)
	var gone domain.Edge
	for i := range 12 {
		leaf, _ := domain.LeafHash(event(i))
		gone.Append(leaf)
	}
	removal, _ := json.Marshal(domain.Removal{Records: 12, RemovedBefore: 12, Edge: domain.Pack(gone.Parts())})
	told := event(40)
	told.Operation, told.After = "audit.expire", removal
	line, _ := domain.ExportLine(told, nil)
	if r := check(t, append(lines[12:25:25], string(line)), heads, key); r.Finding != nil || r.Size != 25 || r.Removed != 12 || r.Heads != 2 {
		t.Errorf("%+v, %v", r, r.Finding)
	}
	if r := check(t, lines[12:], heads, key); r.Finding == nil || r.Finding.Kind != domain.Missing || r.Finding.Number != 0 {
		t.Errorf("without a record of the removal: %+v", r)
	}
	if r := check(t, append(with(lines[12:25:25], 3, strings.Replace(lines[15], "Ada", "Bda", 1)), string(line)), heads, key); r.Finding == nil || r.Finding.Number != 15 && r.Finding.Number != 12 {
		t.Errorf("a change after the removal: %v", r.Finding)
	}
}
