package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

func TestDoChangesTwoFiles(t *testing.T) {
	s, dir := openStore(t)
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	write(t, a, "{\n  \"n\": 1.0,\n  \"x\": [1, 2]\n}\n")
	write(t, b, `{"n":1}`)
	for i := range 3 {
		res, err := s.Do(context.Background(), []string{"a.json", "b.json"}, func(tx *txn.Tx) error {
			if err := tx.Set("a.json", "/n", i+10); err != nil {
				return err
			}
			return tx.Set("b.json", "/m", i)
		})
		require.NoError(t, err)
		require.Empty(t, res.Warnings)
		require.Equal(t, uint64(i+2), res.Files[0].Rev)
	}
	require.Equal(t, "{\n  \"n\": 12,\n  \"x\": [1, 2]\n}\n", read(t, a))
	require.Equal(t, `{"n":1,"m":2}`, read(t, b))
}

func TestDoMakesFiles(t *testing.T) {
	s, dir := openStore(t)
	_, err := s.Do(context.Background(), []string{"new.json"}, func(tx *txn.Tx) error {
		return tx.Set("new.json", "/a", map[string]int{"b": 1})
	})
	require.NoError(t, err)
	require.Equal(t, "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n", read(t, filepath.Join(dir, "new.json")))
}

func TestViewSeesOneState(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	err := s.View(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
		v, err := tx.Get("a.json", "/n")
		require.Equal(t, "1", string(v))
		require.ErrorIs(t, tx.Set("a.json", "/n", 2), txn.ErrReadOnly)
		return err
	})
	require.NoError(t, err)
	_, err = os.Stat(filepath.Join(dir, ".jtx"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
