package change

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

// Values are removed by their places in the document as it was, those that are counted
// from the end too.
func TestDelete(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.json")
	require.NoError(t, os.WriteFile(name, []byte(`{"l":[0,1,2,3,4,5,6,7,8,{"x":1,"y":2},10],"a":1,"b":[[1,2],[3,4]]}`), 0o644))
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	places, err := Places([]string{"/l/2", "/l/10", ".l[9].x", "/a", "/l/2", ".l[-3]", ".b[-1][-2]"})
	require.NoError(t, err)
	_, err = s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return Delete(tx, "a.json", places) })
	require.NoError(t, err)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.JSONEq(t, `{"l":[0,1,3,4,5,6,7,{"y":2}],"b":[[1,2],[4]]}`, string(text))
	require.NoError(t, s.Close())
}

// A place that is counted from the end of what is no array, or too short, is nothing.
func TestResolve(t *testing.T) {
	s, err := txn.Open(t.TempDir(), txn.Options{})
	require.NoError(t, err)
	ctx := context.Background()
	_, err = s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error {
		return tx.Put("a.json", []byte(`{"l":[1,[2,3]],"o":{"-1":4},"e":[]}`))
	})
	require.NoError(t, err)
	err = s.View(ctx, []string{"a.json"}, func(tx *txn.Tx) error {
		for word, want := range map[string]string{
			".l[-1][-2]": "/l/1/0", ".l[-2]": "/l/0", ".l[-3]": "/l/-3", ".e[-1]": "/e/-1", ".o[-1]": "/o/-1", "/o/-1": "/o/-1", ".l": "/l",
		} {
			place, err := Place(word)
			require.NoError(t, err)
			have, err := Resolve(tx, "a.json", place)
			require.NoError(t, err, word)
			require.Equal(t, want, have, word)
		}
		place, err := Place(".nothing[-1]")
		require.NoError(t, err)
		_, err = Resolve(tx, "a.json", place)
		require.ErrorIs(t, err, txn.ErrNotFound)
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
