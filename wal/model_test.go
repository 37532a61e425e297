package wal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model is what must be true of the journal after any history of commits, deaths and
// power cuts. rapid prints the seed of a history that breaks it.
type model struct {
	dir     string
	boot    byte
	log     *Log
	units   []ID // of the records that are there
	durable int  // so many of them were acknowledged as durable
	made    int
}

// TestModel draws histories.
func TestModel(t *testing.T) {
	root := filepath.Dir(memoryDir(t))
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		require.NoError(rt, err)
		defer os.RemoveAll(dir)
		m := &model{dir: dir, boot: 1}
		m.open(rt)
		defer func() { _ = m.log.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"commit":    func(t *rapid.T) { m.commit(t, true) },
			"lazy":      func(t *rapid.T) { m.commit(t, false) },
			"abandon":   m.abandon,
			"die":       m.die,
			"power cut": m.powerCut,
			"cut room":  func(t *rapid.T) { require.NoError(t, m.log.CutRoom()) },
			"":          m.check,
		})
	})
}

func (m *model) open(t *rapid.T) {
	var err error
	m.log, err = Open(m.dir, Options{Boot: [16]byte{m.boot}, SegmentSize: 700})
	require.NoError(t, err)
}

func (m *model) record(t *rapid.T) *Record {
	m.made++
	r := patch(m.made)
	if rapid.Bool().Draw(t, "image") {
		r = image(m.made, "{}")
	}
	return r
}

func (m *model) commit(t *rapid.T, sync bool) {
	r := m.record(t)
	require.NoError(t, m.log.MarkPending())
	require.NoError(t, m.log.Append(r))
	m.units = append(m.units, r.Unit)
	if sync {
		require.NoError(t, m.log.Sync())
		m.durable = len(m.units)
	}
	require.NoError(t, m.log.Settle(r.LSN, FileID{Ino: 1}, r.After, false))
}

// abandon appends and stops there, as a process does that dies before its sync.
func (m *model) abandon(t *rapid.T) {
	r := m.record(t)
	require.NoError(t, m.log.Append(r))
	m.units = append(m.units, r.Unit)
	m.die(t)
}

func (m *model) die(t *rapid.T) {
	require.NoError(t, m.log.Close())
	m.open(t)
	require.Len(t, m.units, int(m.log.State().Last), "a death loses nothing")
}

// powerCut keeps a part of what was not synced in the tail segment, garbled or not,
// and of the state any version or none.
func (m *model) powerCut(t *rapid.T) {
	require.NoError(t, m.log.Close())
	m.spoilTail(t)
	path := filepath.Join(m.dir, stateName)
	switch rapid.SampledFrom([]string{"kept", "lost", "torn", "half", "kept"}).Draw(t, "state") {
	case "lost":
		require.NoError(t, errors.Join(os.RemoveAll(path)))
	case "torn":
		if _, err := os.Stat(path); err == nil {
			require.NoError(t, os.Truncate(path, stateOffset+128))
		}
	case "half":
		if b, err := os.ReadFile(path); err == nil && len(b) >= lockSize {
			at := stateOffset + stateSize*rapid.IntRange(0, 1).Draw(t, "slot")
			clear(b[at : at+stateSize/2])
			require.NoError(t, os.WriteFile(path, b, 0o600))
		}
	}
	m.boot++
	m.open(t)
	last := int(m.log.State().Last)
	require.GreaterOrEqual(t, last, m.durable, "a power cut loses nothing that was durable")
	require.LessOrEqual(t, last, len(m.units))
	m.units = m.units[:last]
}

func (m *model) spoilTail(t *rapid.T) {
	state := m.log.State()
	durable := LSN(m.durable)
	if state.Segment == 0 || state.Last == durable {
		return
	}
	from := int64(0)
	if durable >= state.Segment {
		c, err := readSegment(m.log.fs, segment{first: state.Segment, path: m.log.tailPath()}, start{next: state.Segment}, 0)
		require.NoError(t, err)
		from = c.entries[durable-state.Segment].end
	}
	b, err := os.ReadFile(m.log.tailPath())
	require.NoError(t, err)
	at := rapid.Int64Range(from, int64(len(b))).Draw(t, "at")
	switch rapid.SampledFrom([]string{"kept", "cut", "zeros", "flip"}).Draw(t, "tail") {
	case "cut":
		b = b[:at]
	case "zeros":
		clear(b[at:])
	case "flip":
		if at < int64(len(b)) {
			b[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
	}
	require.NoError(t, os.WriteFile(m.log.tailPath(), b, 0o600))
}

// check compares with what readers see.
func (m *model) check(t *rapid.T) {
	recs, err := scanOnce(m.dir)
	require.NoError(t, err)
	require.Len(t, recs, len(m.units))
	newest := LSN(0)
	for i, r := range recs {
		require.Equal(t, m.units[i], r.Unit)
		if r.HasImage() {
			newest = r.LSN
		}
	}
	s := m.log.State()
	require.Equal(t, newest, s.Image)
	require.LessOrEqual(t, int(s.Durable), len(m.units))
	m.durable = max(m.durable, int(s.Durable)) // a copied tail is durable, acknowledged or not
	report, err := inspect(m.log.fs, m.dir, 0)
	require.NoError(t, err)
	require.Empty(t, report.Damage)
}
