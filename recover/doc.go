// Package recovery brings one tracked file, or the files of one unit, from
// whatever a crash or another program left to a settled state.
//
// It works in two steps, each a table:
//
//  1. [DecideUnit]: was the unit at the end of a journal committed? It was if the
//     journal of every participant durably holds its record (presumed abort).
//  2. [DecideFile]: given the newest committed version, what this boot knows of
//     the file, and the bytes that stand under its name, what is to be done?
//
// Both tables are total: each combination of their inputs has exactly one case,
// with a name, and table_test.go goes through all of them. [MakePlan] reads the
// inputs and decides, [Apply] acts. Every action makes its decision durable before it
// touches a file, and can be cut off anywhere and done again.
//
// The package takes no locks: its caller holds the exclusive locks of every file
// it hands over. It lives in the directory recover/ but is not called so, in
// order that the builtin stays usable where it is imported.
package recovery
