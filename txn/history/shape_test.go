package history

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// A journal that somebody forged may hold patches that no document allows.
func TestShapeRefusesWhatNoDocumentAllows(t *testing.T) {
	for _, patch := range []string{
		`[{"op":"add","path":"/l/-1","value":1}]`, `[{"op":"replace","path":"/l/-1","value":1}]`, `[{"op":"remove","path":"/l/-1"}]`,
		`[{"op":"add","path":"/l/x","value":1}]`, `[{"op":"replace","path":"/l/9","value":1}]`, `[{"op":"remove","path":"/n"}]`,
		`[{"op":"move","from":"/l/9","path":"/x"}]`, `[{"op":"copy","from":"/l/-","path":"/x"}]`, `[{"op":"add","path":"/s/x","value":1}]`,
		`[{"op":"move","from":"/l","path":"/l/0"}]`,
	} {
		ops, err := jsonpatch.DecodePatch([]byte(patch), jsonpatch.Limits{})
		if err != nil {
			continue // refused before
		}
		s, err := newShape([]byte(`{"l":[1,2],"s":"text"}`), 0)
		require.NoError(t, err)
		for _, op := range ops {
			if err = s.apply(op, 1); err != nil {
				break
			}
		}
		require.Error(t, err, patch)
	}
}
