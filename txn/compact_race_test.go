package txn_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

// Readers of the history say what is there, or that it is not kept any more, also
// where retention drops it while they read: at each of their calls in turn.
func TestReadingWhileRetentionDrops(t *testing.T) {
	inMemory(t)
	ctx := context.Background()
	const commits = 6
	text := func(rev uint64) string { return fmt.Sprintf(`{"n":"%s"}`, strings.Repeat(fmt.Sprint(rev), 40_000)) }
	for verb, read := range map[string]func(*testing.T, *txn.Store, string, txn.Result) error{
		"version": func(t *testing.T, s *txn.Store, _ string, _ txn.Result) error {
			v, err := history.ReadVersion(ctx, s, "a.json", history.AtRev(3))
			if err == nil {
				require.Equal(t, text(3), string(v.Data))
			}
			return err
		},
		"versions": func(t *testing.T, s *txn.Store, _ string, third txn.Result) error {
			list, err := history.ReadVersions(ctx, s, []string{"a.json"}, history.AtTx(third.ID))
			if err == nil && list[0].Rev > 0 {
				require.Equal(t, text(3), string(list[0].Data))
			}
			return err
		},
		"backup": func(t *testing.T, s *txn.Store, dir string, third txn.Result) error {
			m, err := admin.Backup(ctx, s, filepath.Join(t.TempDir(), "b"), admin.BackupOptions{At: history.AtTx(third.ID)})
			if err == nil && len(m.Files) > 0 {
				require.Equal(t, uint64(3), m.Files[0].Rev)
				require.Equal(t, int64(len(text(3))), m.Files[0].Size)
			}
			return err
		},
		"backup of now": func(t *testing.T, s *txn.Store, dir string, _ txn.Result) error {
			m, err := admin.Backup(ctx, s, filepath.Join(t.TempDir(), "b"), admin.BackupOptions{})
			if err == nil {
				require.Len(t, m.Files, 1)
				require.GreaterOrEqual(t, m.Files[0].Rev, uint64(commits))
			}
			return err
		},
		"log": func(t *testing.T, s *txn.Store, _ string, _ txn.Result) error {
			rev := uint64(0)
			for e, err := range history.Log(ctx, s, []string{"a.json"}, history.LogOptions{Patches: true}) {
				if err != nil {
					return err
				}
				require.True(t, rev == 0 || e.Files[0].Rev == rev-1)
				rev = e.Files[0].Rev
			}
			return nil
		},
		"show": func(t *testing.T, s *txn.Store, _ string, third txn.Result) error {
			e, err := history.Show(ctx, s, third.ID)
			if err == nil {
				require.Contains(t, string(e.Files[0].Patch.Encode()), "333")
			}
			return err
		},
		"blame": func(t *testing.T, s *txn.Store, _ string, _ txn.Result) error {
			b, err := history.Blame(ctx, s, "a.json", "/n")
			if err == nil {
				require.GreaterOrEqual(t, b.Rev, uint64(commits))
			}
			return err
		},
		"undo, tried": func(_ *testing.T, s *txn.Store, _ string, third txn.Result) error {
			_, err := history.Undo(ctx, s, third.ID, txn.DryRun())
			return err
		},
	} {
		t.Run(verb, func(t *testing.T) {
			pristine := t.TempDir()
			writer, err := txn.Open(pristine, txn.Options{Durability: txn.None})
			require.NoError(t, err)
			put := func(rev uint64) txn.Result {
				res, err := writer.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Put("a.json", []byte(text(rev))) })
				require.NoError(t, err)
				return res
			}
			var third txn.Result
			for rev := uint64(1); rev <= commits; rev++ {
				if res := put(rev); rev == 3 {
					third = res
				}
			}
			for at := 0; ; at++ {
				s, h, dir := openHooked(t, txn.Options{Durability: txn.None})
				require.NoError(t, os.CopyFS(dir, os.DirFS(pristine)))
				writer, err = txn.Open(dir, txn.Options{Durability: txn.None})
				require.NoError(t, err)
				_, err = admin.Recover(ctx, writer, nil, admin.RecoverOptions{}) // a copy is settled anew
				require.NoError(t, err)
				calls := 0
				h.hook = func(op, name string) error {
					if calls++; calls == at+1 {
						put(commits + 1)
						put(commits + 2)
						_, err := admin.Compact(ctx, writer, nil, admin.Retention{Revs: 1})
						require.NoError(t, err)
					}
					return nil
				}
				err = read(t, s, dir, third)
				if err != nil {
					require.NotErrorIs(t, err, txn.ErrDamaged, "call %d", at)
					require.True(t, strings.Contains(err.Error(), "kept") || strings.Contains(err.Error(), "so old") || strings.Contains(err.Error(), "no transaction") ||
						strings.Contains(err.Error(), "changed again"), "call %d: %v", at, err)
				}
				if calls <= at {
					return
				}
			}
		})
	}
}
