package txn

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesLeadWhereAbsDoes(t *testing.T) {
	for _, dir := range []string{"/", "/d", "/d/e"} {
		s := &Store{dir: dir}
		names := []string{"a", "/a", "/d/a", "d/a", "./a", "../a", "e/../a", "/d//a", "", ".", "/", "d", "//a", "e/a", "/d/e/a", "a/"}
		for _, name := range names {
			for _, other := range names {
				path := s.abs(other)
				require.Equal(t, s.abs(name) == path, s.names(name, path), "in %s: %q, %q", dir, name, path)
			}
		}
	}
}
