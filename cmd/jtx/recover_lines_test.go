package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/wal"
)

// To settle a file is to settle the others of its unit: each line names its own.
func TestRecoverNamesEachFileOfAUnit(t *testing.T) {
	unit := wal.NewID()
	f := admin.FileReport{File: "/x/b.json", Done: []recovery.Done{
		{Target: "/x/a.json", Case: "unit-complete", Unit: unit},
		{Target: "/x/a.json", Case: "not-in-place", Action: recovery.Redo, Rev: 2},
		{Target: "/x/b.json", Case: "not-in-place", Action: recovery.Redo, Rev: 3},
	}}
	require.Equal(t, "/x/a.json: unfinished transaction "+unit.String()+": unit complete\n"+
		"/x/a.json: not in place: redo, revision 2\n"+
		"/x/b.json: not in place: redo, revision 3\n", linesOf(f))
	f.Done[1].Err = errors.New("no")
	require.Equal(t, "/x/a.json: no", cli.MessageOf(errorOf(f)))
}
