package txn_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

// TestRequestIsInTheHistory: each transaction's own, in a group too; and none that the
// journal has no room for.
func TestRequestIsInTheHistory(t *testing.T) {
	dir := t.TempDir()
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	set := func(request string, n int) error {
		_, err := s.Do(t.Context(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", n) }, txn.WithRequest(request))
		return err
	}
	require.NoError(t, set("one", 1))
	require.NoError(t, set("", 2))
	require.NoError(t, set("three", 3))
	err = set(strings.Repeat("x", 129), 4)
	require.ErrorIs(t, err, txn.ErrInvalid)
	require.Contains(t, err.Error(), "at most 128")

	var found []string
	for e, err := range history.Log(t.Context(), s, []string{"a.json"}, history.LogOptions{}) {
		require.NoError(t, err)
		found = append(found, e.Request)
	}
	require.Equal(t, []string{"three", "", "one"}, found)
}
