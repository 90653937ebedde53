package archtest_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The rules that let the same SQL run on one PostgreSQL and on several, split
// by schema. docs/scaling.md says what each is for.

// maxName is what is left of 63 characters when a shard number is added.
const maxName = 50

// TestSQLKeepsTheRulesForGrowing parses the declared schema, the migrations
// and the queries with PostgreSQL's own parser.
func TestSQLKeepsTheRulesForGrowing(t *testing.T) {
	all, err := sqlStatements(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sqlScopes {
		if len(all[s.dir]) == 0 {
			t.Errorf("%s: no statement was found", s.dir)
		}
	}
	for _, f := range brokenSQLRules(all) {
		t.Error(f)
	}
}

func brokenSQLRules(all map[string][]statement) []string {
	var found []string
	views := viewsOf(all)
	for _, s := range sqlScopes {
		found = append(found, tableRules(all[s.dir])...)
		for _, st := range all[s.dir] {
			for _, rule := range statementRules {
				for _, what := range rule(st) {
					found = append(found, st.at()+": "+what)
				}
			}
			if target := targetOf(st); target != "" && slices.Contains(views, target) {
				found = append(found, st.at()+": it changes rows through the view "+target)
			}
		}
	}
	slices.Sort(found)
	return found
}

var statementRules = []func(statement) []string{forbiddenKinds, columnRules, alterRules, volatileRules, valuesRules, reachRules, sessionRules}

// forbiddenKinds are statements that have no place.
func forbiddenKinds(s statement) []string {
	bad := map[string]string{
		"CreateTrigStmt": "a trigger: set the column in the statement instead",
		"RuleStmt":       "a rule",
		"MergeStmt":      "MERGE: write INSERT … ON CONFLICT, or two statements",
		"ListenStmt":     "LISTEN: it hears of one server only",
		"NotifyStmt":     "NOTIFY: it is heard on one server only",
		"CreateSeqStmt":  "a sequence: keys are made by the program",
	}
	if what, ok := bad[s.kind]; ok && (s.kind != "CreateSeqStmt" || s.scope == "tenant") {
		return []string{what}
	}
	if s.kind == "CreateStmt" && len(list(s.body, "inhRelations")) > 0 && s.body["partbound"] == nil {
		return []string{"INHERITS: only partitions may"}
	}
	return nil
}

// columnRules look at types, keys and names wherever columns and constraints are made.
func columnRules(s statement) []string {
	var found []string
	visit(node{s.kind: s.body}, func(kind string, n node) bool {
		switch kind {
		case "ColumnDef":
			if typ, _ := n["typeName"].(node); s.scope == "tenant" && strings.Contains(lastName(list(typ, "names")), "serial") {
				found = append(found, "a serial column: keys are made by the program")
			}
		case "Constraint":
			found = append(found, constraintRules(s, n)...)
		case "IndexStmt":
			found = append(found, nameRules("an index", text(n, "idxname"))...)
		}
		return true
	})
	return found
}

// namedConstraints have names of their own in the catalog.
var namedConstraints = []string{"CONSTR_CHECK", "CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION", "CONSTR_FOREIGN"}

func constraintRules(s statement, n node) []string {
	kind := text(n, "contype")
	if kind == "CONSTR_IDENTITY" && s.scope == "tenant" {
		return []string{"an identity column: keys are made by the program"}
	}
	var found []string
	if target, ok := n["pktable"].(node); ok && s.scope == "tenant" && text(target, "schemaname") != "" {
		found = append(found, "a foreign key that leaves the schema, to "+text(target, "schemaname"))
	}
	if slices.Contains(namedConstraints, kind) && !namedByItself(s, n) {
		found = append(found, nameRules("a constraint", text(n, "conname"))...)
	}
	return found
}

// namedByItself: Atlas leaves the name of a new table's primary key to
// PostgreSQL. `schema check` proves that it is the declared one.
func namedByItself(s statement, n node) bool {
	return text(n, "contype") == "CONSTR_PRIMARY" && s.kind == "CreateStmt" && strings.HasPrefix(s.file, "sql/migrations/") && text(n, "conname") == ""
}

func nameRules(what, name string) []string {
	switch {
	case name == "":
		return []string{what + " without a name"}
	case len(name) > maxName:
		return []string{fmt.Sprintf("%s with a name of more than %d characters: %s", what, maxName, name)}
	}
	return nil
}

// alterRules: Citus adds a constraint only by a statement that does nothing else.
func alterRules(s statement) []string {
	if s.kind != "AlterTableStmt" {
		return nil
	}
	var found []string
	cmds := list(s.body, "cmds")
	for _, c := range cmds {
		cmd, _ := inner(c, "AlterTableCmd")
		def, _ := cmd["def"].(node)
		switch text(cmd, "subtype") {
		case "AT_AddConstraint":
			if len(cmds) > 1 {
				found = append(found, "a constraint that is added beside something else: give it a statement of its own")
			}
		case "AT_AddColumn":
			column, _ := inner(def, "ColumnDef")
			for _, c := range list(column, "constraints") {
				if con, _ := inner(c, "Constraint"); slices.Contains(namedConstraints, text(con, "contype")) {
					found = append(found, "a constraint that is added with a column: give it a statement of its own")
				}
			}
		}
	}
	return found
}

// volatile functions give another value on another server, or at another time.
var volatile = []string{
	"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday", "random", "gen_random_uuid",
	"nextval", "setval", "currval", "lastval", "txid_current", "pg_current_xact_id",
}

// volatileRules: such a value comes as a parameter where rows are changed.
func volatileRules(s statement) []string {
	var found []string
	visit(node{s.kind: s.body}, func(kind string, n node) bool {
		switch kind {
		case "UpdateStmt", "DeleteStmt", "CoalesceExpr", "CaseExpr":
			for _, f := range volatilesIn(n) {
				found = append(found, fmt.Sprintf("%s in %s: pass it as a parameter", f, kind))
			}
			return false
		case "InsertStmt":
			if clause, ok := n["onConflictClause"].(node); ok {
				for _, f := range volatilesIn(clause) {
					found = append(found, f+" in ON CONFLICT: pass it as a parameter")
				}
			}
		}
		return true
	})
	return found
}

func volatilesIn(n node) []string {
	var found []string
	visit(n, func(kind string, n node) bool {
		switch kind {
		case "FuncCall":
			if name := lastName(list(n, "funcname")); slices.Contains(volatile, name) {
				found = append(found, name+"()")
			}
		case "SQLValueFunction":
			found = append(found, text(n, "op"))
		case "CurrentOfExpr":
			found = append(found, "CURRENT OF")
		}
		return true
	})
	return found
}

func valuesRules(s statement) []string {
	var found []string
	visit(node{s.kind: s.body}, func(kind string, n node) bool {
		if kind != "InsertStmt" {
			return true
		}
		source, _ := n["selectStmt"].(node)
		values, _ := inner(source, "SelectStmt")
		visit(list(values, "valuesLists"), func(kind string, _ node) bool {
			if kind == "SubLink" {
				found = append(found, "a sub-select in VALUES")
			}
			return true
		})
		return true
	})
	return found
}

// reachRules: a statement touches one schema.
func reachRules(s statement) []string {
	if s.scope != "query" {
		return nil
	}
	var ctes, schemas []string
	visit(node{s.kind: s.body}, func(kind string, n node) bool {
		if kind == "CommonTableExpr" {
			ctes = append(ctes, text(n, "ctename"))
		}
		return true
	})
	see := func(n node) {
		schema := text(n, "schemaname")
		if text(n, "relname") != "" && schema != "pg_catalog" && (schema != "" || !slices.Contains(ctes, text(n, "relname"))) {
			schemas = append(schemas, schema)
		}
	}
	if target, ok := s.body["relation"].(node); ok {
		see(target)
	}
	visit(node{s.kind: s.body}, func(kind string, n node) bool {
		if kind == "RangeVar" {
			see(n)
		}
		if target, ok := n["relation"].(node); ok && kind != "RangeVar" {
			see(target)
		}
		return true
	})
	slices.Sort(schemas)
	if schemas = slices.Compact(schemas); len(schemas) > 1 {
		return []string{fmt.Sprintf("it reaches into more than one schema: %q", schemas)}
	}
	return nil
}

// sessionRules: nothing holds longer than a transaction or only on one server.
func sessionRules(s statement) []string {
	var found []string
	if local, _ := s.body["is_local"].(bool); s.kind == "VariableSetStmt" && !local {
		found = append(found, "SET without LOCAL")
	}
	visit(node{s.kind: s.body}, func(kind string, n node) bool {
		if kind != "FuncCall" {
			return true
		}
		name := lastName(list(n, "funcname"))
		switch {
		case strings.Contains(name, "advisory"), name == "pg_notify":
			found = append(found, name+": it holds on one server only")
		case name == "set_config" && !strings.HasPrefix(s.file, "sql/queries/pg/"):
			found = append(found, "set_config: only the wall (sql/queries/pg) sets anything")
		}
		return true
	})
	return found
}

// tableRules look at a whole directory: primary keys, and names used twice.
func tableRules(statements []statement) []string {
	keyless, names := map[string]statement{}, map[string]string{}
	var found []string
	named := func(s statement, name string) {
		if first, ok := names[name]; ok && name != "" {
			found = append(found, s.at()+": the name "+name+" is taken, "+first)
		}
		names[name] = s.at()
	}
	for _, s := range statements {
		relation, _ := s.body["relation"].(node)
		table := text(relation, "relname")
		if s.kind == "CreateStmt" && s.body["partbound"] == nil {
			keyless[table] = s
		}
		if s.kind == "IndexStmt" {
			named(s, text(s.body, "idxname"))
		}
		visit(node{s.kind: s.body}, func(kind string, n node) bool {
			if kind == "Constraint" && slices.Contains(namedConstraints, text(n, "contype")) {
				named(s, text(n, "conname"))
				if text(n, "contype") == "CONSTR_PRIMARY" {
					delete(keyless, table)
				}
			}
			return true
		})
	}
	for table, s := range keyless {
		found = append(found, s.at()+": table "+table+" has no primary key")
	}
	return found
}

func viewsOf(all map[string][]statement) []string {
	var views []string
	for _, statements := range all {
		for _, s := range statements {
			if view, ok := s.body["view"].(node); ok && s.kind == "ViewStmt" {
				views = append(views, text(view, "relname"))
			}
		}
	}
	return views
}

// targetOf is the table whose rows a statement changes.
func targetOf(s statement) string {
	if !slices.Contains([]string{"InsertStmt", "UpdateStmt", "DeleteStmt"}, s.kind) {
		return ""
	}
	relation, _ := s.body["relation"].(node)
	return text(relation, "relname")
}
