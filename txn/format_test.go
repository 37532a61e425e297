package txn_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

// What this program can't use is refused by name, before anything of it is read or
// written.
func TestFormatsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ from, to, says string }{
		"another format":     {`"format":1`, `"format":2`, "format 2"},
		"no layout":          {`"layout":3,`, ``, "development build"},
		"an older layout":    {`"layout":3`, `"layout":2`, "development build"},
		"a newer layout":     {`"layout":3`, `"layout":4`, "newer jtx"},
		"a need not known":   {`"needs":[]`, `"needs":["remote"]`, `"remote"`},
		"an id that is none": {`"id":"`, `"id":"x`, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := openStore(t)
			set(t, s, "a.json", "/n", 1)
			path := filepath.Join(dir, ".jtx", "format")
			text := read(t, path)
			require.Contains(t, text, c.from)
			write(t, path, strings.Replace(text, c.from, c.to, 1))
			before := everything(t, dir)
			fresh, err := txn.Open(dir, txn.Options{})
			require.NoError(t, err)
			_, err = fresh.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 2) })
			require.ErrorIs(t, err, txn.ErrFormat)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, before, everything(t, dir))
		})
	}
}
