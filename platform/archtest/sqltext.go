package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

var sqlText = &Rule{
	Name:    "sql-text",
	Law:     "SQL stands in sql/, schema/ and generated code; only platform/pg, pgserver, pgtest, cmd/schema, cmd/dev, cmd/bench and tests may spell it in Go",
	Instead: "move the statement to sql/queries/<m> and run make generate; if this is a sentence for people, word it so that it does not start like a statement",
	find: func(t *tree, add report) {
		for _, f := range t.files {
			if f.mayTalkSQL() || f.place.layer == layerResource {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ImportSpec:
					return false
				case *ast.BasicLit:
					if text, ok := literal(n); ok && startsStatement(text) {
						add(f.path, t.line(n.Pos()), fmt.Sprintf("spells SQL: %.40q", text))
					}
				}
				return true
			})
		}
	},
}

func literal(lit *ast.BasicLit) (string, bool) {
	if lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return strings.TrimSpace(text), err == nil
}

// Keywords in capitals are SQL. In small letters they may start an English sentence ("Delete a user."), so
// the text has to go on like a statement.
var (
	shouted   = regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|WITH|SET|COPY|MERGE|LOCK|CALL)\s`)
	whispered = regexp.MustCompile(`(?i)^(` +
		`select\s+(\*|[\w.]+(\s*,\s*[\w.]+)+|[\w.]+\(.*\))(\s+from\s|$)` +
		`|select\s+[\w.]+\s+from\s+[\w.]+\s+where\s` +
		`|insert\s+into\s+[\w.]+\s*(\(|values\b|select\b)` +
		`|update\s+[\w.]+\s+set\s+\w+\s*=` +
		`|delete\s+from\s+[\w.]+(\s+where\s|;?$)` +
		`|create\s+(table|schema|index|role|view|function)\s+(if\s+not\s+exists\s|[\w.]+\s*[(;])` +
		`|alter\s+(table|schema|role)\s+[\w.]+\s+(add|drop|rename|set|owner)\s` +
		`|drop\s+(table|schema|index|role|view|function)\s+(if\s+exists\s|[\w.]+\s*(;|cascade))` +
		`|truncate\s+table\s|set\s+(local\s+)?(search_path|role)\b)`)
)

func startsStatement(text string) bool {
	return shouted.MatchString(text) || whispered.MatchString(text)
}
