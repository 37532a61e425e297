package txn_test

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
)

// pieces counts the writes to staged files, new ones and spares.
type pieces struct {
	fsys.FS
	n int
}

func (p *pieces) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	f, err := p.FS.OpenFile(name, flag, perm)
	base := filepath.Base(name)
	if err == nil && (strings.HasSuffix(base, ".tmp") || strings.HasPrefix(base, "spare")) {
		f = &piece{f, p}
	}
	return f, err
}

type piece struct {
	fsys.File
	p *pieces
}

func (f *piece) Write(b []byte) (int, error) {
	f.p.n++
	return f.File.Write(b)
}

func (f *piece) WriteAt(b []byte, off int64) (int, error) {
	f.p.n++
	return f.File.WriteAt(b, off)
}

// A large file that is to be synced goes to the disk while it is written. One that is
// not is left to the system as a whole, which may be replaced before it is on the disk.
func TestLargeFilesAreWrittenOutBeforeTheSync(t *testing.T) {
	disk := &pieces{FS: fsys.OS}
	dir := t.TempDir()
	s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{FS: disk}))
	require.NoError(t, err)
	large := `{"text": "` + strings.Repeat("x", 4<<20) + `"}`
	write(t, filepath.Join(dir, "a.json"), large)
	set(t, s, "a.json", "/n", 0)
	for level, inPieces := range map[txn.Durability]bool{txn.Full: true, txn.Journal: true, txn.None: false} {
		disk.n = 0
		_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
			return tx.Set("a.json", "/n", int(level)+1)
		}, txn.WithDurability(level))
		require.NoError(t, err)
		require.Equal(t, inPieces, disk.n > 1, "%v", level)
	}
	require.NoError(t, s.Close())
}
