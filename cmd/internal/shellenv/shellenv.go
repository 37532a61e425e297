// Package shellenv holds the shell functions that jtx shellenv prints: those of scripts
// that used to lock and rewrite JSON files by themselves. OLDER-SYSTEM.md beside it goes
// through what that system had, line by line.
package shellenv

import _ "embed"

// Functions is the text of the functions, for POSIX sh, bash and zsh alike.
//
//go:embed functions.sh
var Functions string
