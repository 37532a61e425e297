package workspace

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesLeadWhereAbsDoes(t *testing.T) {
	for _, dir := range []string{"/", "/d", "/d/e"} {
		s := &Site{Dir: dir}
		names := []string{"a", "/a", "/d/a", "d/a", "./a", "../a", "e/../a", "/d//a", "", ".", "/", "d", "//a", "e/a", "/d/e/a", "a/"}
		for _, name := range names {
			for _, other := range names {
				path := s.Abs(other)
				require.Equal(t, s.Abs(name) == path, s.Names(name, path), "in %s: %q, %q", dir, name, path)
			}
		}
	}
}
