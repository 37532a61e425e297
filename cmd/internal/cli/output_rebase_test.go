package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal"
)

// TestRebaseText: each of the ways in which an edit of a file that was behind ends
// is told.
func TestRebaseText(t *testing.T) {
	rec := &wal.Record{}
	for _, c := range []struct {
		done recovery.Done
		want string
	}{
		{recovery.Done{Rev: 4, Record: rec}, "/a.json: edited while behind; recorded with what was committed as revision 4"},
		{recovery.Done{Rev: 3}, "/a.json: edited while behind; all of it was committed already"},
		{recovery.Done{Rev: 4, Record: &wal.Record{Kind: wal.KindClash, Rev: 4}}, "/a.json: edited while behind; recorded as revision 3, and with what was committed as revision 4"},
		{recovery.Done{Rev: 4, Record: &wal.Record{Kind: wal.KindClash, Rev: 4}, Clash: `"/n" was changed by a committed change too`},
			`/a.json: edited while behind; it clashes: "/n" was changed by a committed change too; it is revision 3, and what was committed stands again as revision 4`},
	} {
		c.done.Target, c.done.Case, c.done.Action = "/a.json", "edited-while-behind", recovery.Rebase
		require.Equal(t, c.want, doneText(c.done))
	}
}
