package recovery

import (
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// peek is a journal that is only looked at: for a dry run, and for readers who
// may not write. It cuts nothing and takes no lock.
type peek struct {
	fs    fsys.FS
	dir   string
	state wal.State
	known bool
	clean bool
}

// Peek opens the journal of a file's directory for planning only. It reads the
// whole journal; damage in it is an error.
func Peek(fsy fsys.FS, dir string, boot [16]byte) (Journal, error) {
	r, err := wal.Inspect(fsy, dir)
	if err != nil {
		return nil, err
	}
	if len(r.Damage) > 0 {
		return nil, r.Damage[0]
	}
	p := &peek{fs: fsy, dir: dir, state: r.State}
	p.known = r.StateOK && r.State.Boot == boot
	p.clean = p.known && !r.State.Pending && r.State.Last == r.Last && !r.Torn
	p.state.Last = r.Last
	p.state.Applied = min(p.state.Applied, r.Last)
	return p, nil
}

func (p *peek) State() wal.State { return p.state }
func (p *peek) Trusted() bool    { return p.clean || p.Empty() && !p.state.Pending }
func (p *peek) Known() bool      { return p.known }
func (p *peek) Empty() bool      { return p.state.Last == 0 }

func (p *peek) Read(lsn wal.LSN) (*wal.Record, error) { return wal.ReadRecord(p.fs, p.dir, lsn) }
