// Package archtest holds the house to its plan: which folder may import which, who may call the database,
// and that every operation is guarded, routed and composed.
//
// The rules read source files and nothing else. They parse in this process, on purpose: the go command then
// knows every file that the test has opened and runs the test again when one of them changes. A test that asks
// `go list` in a child process would stay green from the test cache after somebody breaks a rule.
//
// There is no type information. Every rule is written so that names and imports suffice, and so that it errs
// towards accepting: what it does report is wrong. To add a rule, write its Rule value in the file of its subject,
// name it in House, and plant a tree in planted_test.go that it rejects; a rule without a planted tree
// fails the test.
package archtest
