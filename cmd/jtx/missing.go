package main

import (
	"github.com/spf13/pflag"

	"github.com/jtx-project/jtx/txn"
)

func registerIfMissing(fs *pflag.FlagSet, v *bool) {
	fs.BoolVar(v, "if-missing", false, "do nothing where FILE is there already")
}

// unlessThere leaves a file alone that is there, if that is asked for. The question
// is put while the file is locked, so that whoever comes second changes nothing.
func unlessThere(asked bool, file string, fn func(*txn.Tx) error) func(*txn.Tx) error {
	return func(tx *txn.Tx) error {
		if asked {
			if there, err := tx.Exists(file); there || err != nil {
				return err
			}
		}
		return fn(tx)
	}
}
