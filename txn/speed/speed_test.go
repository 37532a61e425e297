package speed

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys"
)

// TestEveryRow does each a few times with each of jtx's systems.
func TestEveryRow(t *testing.T) {
	for _, row := range Rows() {
		for _, system := range JTX() {
			t.Run(row.Name+"/"+system.Name, func(t *testing.T) {
				left := 20
				r, err := Measure(t.Context(), row, system, t.TempDir(), func() bool { left--; return left >= 0 })
				require.NoError(t, err)
				require.Len(t, r.Times, 20)
				require.Positive(t, r.Rate)
				require.Positive(t, r.XRaw)
				if row.Read {
					require.NotContains(t, r.Metrics(), "fsyncs/op")
				} else {
					require.Positive(t, r.Metrics()["fsyncs/op"])
				}
			})
		}
	}
}

// careless loses every tenth addition.
type careless struct {
	Documents
	n *atomic.Int64
}

func (c careless) Add(docs ...int) error {
	if c.n.Add(1)%10 == 0 {
		return nil
	}
	return c.Documents.Add(docs...)
}

func TestWhatIsLostIsFound(t *testing.T) {
	system := JTX()[0]
	open := system.Open
	system.Open = func(dir string, fs fsys.FS, doc []byte, copies int) (Documents, error) {
		d, err := open(dir, fs, doc, copies)
		return careless{d, new(atomic.Int64)}, err
	}
	left := 20
	_, err := Measure(t.Context(), Row{Size: 100, Copies: 2, Workers: 1, Unit: 2}, system, t.TempDir(), func() bool { left--; return left >= 0 })
	require.ErrorContains(t, err, "2 documents add up to 38 after 21 transactions over 2")
}

func TestMeasureIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	bored := errors.New("bored")
	dir := t.TempDir()
	_, err := Measure(ctx, Rows()[0], JTX()[0], dir, func() bool { cancel(bored); return true })
	require.ErrorIs(t, err, bored)
	require.NoFileExists(t, filepath.Join(dir, "raw-disk"))
}
