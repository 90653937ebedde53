package archtest

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
)

// Rule is one law of the house and the way to find where it is broken.
type Rule struct {
	// Name identifies the rule in a violation.
	Name string
	// Law says what must hold.
	Law string
	// Instead says what to write in place of what was found.
	Instead string

	find func(*tree, report)
}

// report takes one finding: a slash path from the root, a line (0 when it is about the whole file or
// folder), and what stands there.
type report func(path string, line int, found string)

// Violation is one place that breaks a rule.
type Violation struct {
	// Path is the file or folder, slash separated, from the root of the tree.
	Path string
	// Line counts from 1; 0 means the whole file or folder.
	Line int
	// Found says what stands there.
	Found string
	// Rule is the law it breaks.
	Rule *Rule
}

// String tells where, which rule, what was found, and what to do instead.
func (v Violation) String() string {
	where := v.Path
	if v.Line > 0 {
		where = fmt.Sprintf("%s:%d", v.Path, v.Line)
	}
	return fmt.Sprintf("%s: [%s] %s\n\tlaw: %s\n\tinstead: %s", where, v.Rule.Name, v.Found, v.Rule.Law, v.Rule.Instead)
}

// House returns the rules of this repository.
func House() []*Rule {
	return slices.Concat(
		arrows(),
		[]*Rule{
			namedImports, entryPoints, resources, generatedQueries, testSupport, purePlatform, noRepositoryInAPI,
			databaseDriver, webFramework, pureLibraries, embeddedParts,
			databaseCalls, sqlText, transactionMakers, machineInputs,
			runsOneOperation, operationHasRoute,
			folders, moduleComposed,
			noInit, noSharedState,
		},
	)
}

// Check reads the module tree under root and returns every violation of the rules, ordered by place. The
// error says that the tree cannot be judged: no go.mod, or a file that does not parse.
func Check(root fs.FS, rules []*Rule) ([]Violation, error) {
	t, err := load(root)
	if err != nil {
		return nil, err
	}
	return t.check(rules), nil
}

func (t *tree) check(rules []*Rule) []Violation {
	var found []Violation
	for _, rule := range rules {
		rule.find(t, func(path string, line int, what string) {
			found = append(found, Violation{Path: path, Line: line, Found: what, Rule: rule})
		})
	}
	slices.SortStableFunc(found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule.Name, b.Rule.Name))
	})
	return found
}
