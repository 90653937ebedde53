package pgtest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Indexed checks the plans of statements, by name, as the server makes them
// once it has stopped to look at the values: each reaches every table by an
// index that a condition bounds. Settings are those that the statements run
// under.
func (f Fixture) Indexed(t testing.TB, statements, settings map[string]string) {
	t.Helper()
	cfg, err := pgx.ParseConfig(f.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RuntimeParams["search_path"] = f.Tenant.Schema
	cfg.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	for name, value := range settings {
		cfg.RuntimeParams[name] = value
	}
	db, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	for name, statement := range statements {
		explain(t, db, name, statement).check(t, name)
	}
}

// explain plans a statement without values.
func explain(t testing.TB, db *pgx.Conn, name, statement string) planNode {
	t.Helper()
	prepared, err := db.Prepare(t.Context(), strings.ToLower(name), statement)
	if err != nil {
		t.Fatal(name, err)
	}
	nothing := strings.TrimSuffix(strings.Repeat("NULL,", len(prepared.ParamOIDs)), ",")
	var text []byte
	if err := db.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) EXECUTE "+prepared.Name+"("+nothing+")").Scan(&text); err != nil {
		t.Fatal(name, err)
	}
	var explained []struct{ Plan planNode }
	if err := json.Unmarshal(text, &explained); err != nil {
		t.Fatal(err)
	}
	return explained[0].Plan
}

// planNode is a node of a plan.
type planNode struct {
	Type  string `json:"Node Type"`
	Table string `json:"Relation Name"`
	Index string `json:"Index Name"`
	Cond  string `json:"Index Cond"`
	Plans []planNode
}

func (n planNode) check(t testing.TB, statement string) {
	t.Helper()
	if n.Type == "Seq Scan" || strings.Contains(n.Type, "Index") && n.Cond == "" || strings.Contains(n.Type, "Bitmap") {
		t.Errorf("%s reads %s by %s %s", statement, n.Table, n.Type, n.Index)
	}
	for _, child := range n.Plans {
		child.check(t, statement)
	}
}
