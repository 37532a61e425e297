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
		{recovery.Done{Rev: 4, Record: rec}, "/a.json: edited while behind; recorded as revision 4"},
		{recovery.Done{Rev: 4, Record: rec, Aside: "/d/x"}, "/a.json: edited while behind; recorded as revision 4; its bytes are kept in /d/x"},
		{recovery.Done{Rev: 3, Aside: "/d/x"}, "/a.json: edited while behind; nothing but layout and comments was changed; its bytes are kept in /d/x, and revision 3 was put in place"},
		{recovery.Done{Rev: 3, Aside: "/d/x", Clash: `"/n" was changed by a committed change too`},
			`/a.json: edited while behind; it clashes: "/n" was changed by a committed change too; its bytes are kept in /d/x, and revision 3 was put in place`},
	} {
		c.done.Target, c.done.Case, c.done.Action = "/a.json", "edited-while-behind", recovery.Rebase
		require.Equal(t, c.want, doneText(c.done))
	}
}
