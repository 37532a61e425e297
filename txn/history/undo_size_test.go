package history_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

// undoWorks are transactions of n operations, each with the document that it changes.
var undoWorks = map[string]func(n int) (doc, patch string){
	"replaced": func(n int) (string, string) {
		return members(n), operations(n, func(i int) string { return fmt.Sprintf(`{"op":"replace","path":"/k%05d/n","value":-1}`, i) })
	},
	"removed": func(n int) (string, string) {
		return members(n), operations(n/2, func(i int) string { return fmt.Sprintf(`{"op":"remove","path":"/k%05d"}`, 2*i) })
	},
	"elements": func(n int) (string, string) {
		list := "[\n" + strings.Repeat(" 1,\n", n) + " 2\n]\n"
		return list, operations(n, func(i int) string {
			if i < n/2 {
				return `{"op":"remove","path":"/0"}`
			}
			return fmt.Sprintf(`{"op":"add","path":"/-","value":%d}`, i)
		})
	},
}

func members(n int) string {
	var doc strings.Builder
	doc.WriteString("{\n")
	for i := range n {
		fmt.Fprintf(&doc, " \"k%05d\": {\"n\": %d, \"t\": [%d, 1]},\n", i, i, i)
	}
	return doc.String() + " \"other\": 0\n}\n"
}

func operations(n int, op func(int) string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = op(i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// What an undo takes grows with the operations of the transaction, not with their square.
func BenchmarkUndoOfManyOperations(b *testing.B) {
	for name, work := range undoWorks {
		for _, n := range []int{1000, 8000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				dir := b.TempDir()
				file := filepath.Join(dir, "a.json")
				doc, patch := work(n)
				require.NoError(b, os.WriteFile(file, []byte(doc), 0o644))
				s, err := txn.Open(dir, txn.Options{})
				require.NoError(b, err)
				ctx := context.Background()
				res, err := s.Do(ctx, []string{file}, func(tx *txn.Tx) error { return tx.Patch(file, []byte(patch)) })
				require.NoError(b, err)
				last := "/other"
				if name == "elements" {
					last = fmt.Sprint("/", n/2)
				}
				_, err = s.Do(ctx, []string{file}, func(tx *txn.Tx) error { return tx.Set(file, last, 3) })
				require.NoError(b, err)
				for b.Loop() {
					_, err = history.Undo(ctx, s, res.ID, txn.DryRun())
					require.NoError(b, err)
				}
			})
		}
	}
}
