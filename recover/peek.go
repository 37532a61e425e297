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
	// lasting are the records that no power cut takes back: those up to it.
	lasting wal.LSN
}

// AtRest is the journal of a file of which `state` says all: for a look at one that
// has no unfinished commit, in this boot or, where the caller has found out that st
// may be believed, since another. It reads nothing until it is asked for a record.
// The zero State is the journal of a file that has none.
func AtRest(fsy fsys.FS, dir string, st wal.State, boot [16]byte) Journal {
	return &peek{fs: fsy, dir: dir, state: st, known: st.Last > 0 && st.Boot == boot, clean: true, lasting: st.Last}
}

// Peek opens the journal of a file's directory for planning only. It reads where the
// journal ends; damage there is an error, and elsewhere where it is met.
func Peek(fsy fsys.FS, dir string, boot [16]byte) (Journal, error) {
	r, err := wal.Ending(fsy, dir)
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
	p.state.Applied, p.state.Named = min(p.state.Applied, r.Last), min(r.Named, r.Last)
	p.lasting = r.Last
	if r.StateOK && r.State.WrittenIn == boot {
		// All behind that, this boot has written, and has told nobody yet.
		p.lasting = min(max(r.State.Last, r.State.Durable, r.Durable), r.Last)
	}
	return p, nil
}

func (p *peek) State() wal.State { return p.state }
func (p *peek) Trusted() bool    { return p.clean || p.Empty() && !p.state.Pending }
func (p *peek) Known() bool      { return p.known }
func (p *peek) Empty() bool      { return p.state.Last == 0 }

func (p *peek) Fate(unit wal.ID, lsn wal.LSN) (wal.Fact, bool, error) {
	return wal.ReadFate(p.fs, p.dir, unit, lsn)
}

func (p *peek) Read(lsn wal.LSN) (*wal.Record, error) { return wal.ReadRecord(p.fs, p.dir, lsn) }
