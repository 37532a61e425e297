// Package txntest is for tests of jtx itself, and for measuring it: it lets a store work
// on another file system than the machine's, and in another boot. No program that uses
// jtx has a use for it.
package txntest

import (
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/hooks"
)

// Hooks are what a store takes from the machine it runs on. The zero value of each is
// the machine's own.
type Hooks = hooks.Hooks

// With is opt with hooks, added to those that it has.
func With(opt txn.Options, h Hooks) txn.Options {
	hooks.Set(&opt, h)
	return opt
}
