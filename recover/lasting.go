package recovery

import (
	"errors"
	"io/fs"

	"github.com/jtx-project/jtx/wal"
)

// Lasting narrows journals that were opened by [Peek] to the records that count for
// somebody who only looks: those that no power cut can take back. A record that this
// boot has written may be in the page cache only. It was never acknowledged if `state`
// does not know it, so that the version before it is as right an answer, until what
// it made is found to stand in place in one of its unit's files: nothing is placed
// before all of the unit is durable.
func Lasting(files []*File) error {
	byKey := map[Key]*peek{}
	for _, f := range files {
		if p, ok := f.Journal.(*peek); ok {
			byKey[f.Key] = p
		}
	}
	for _, f := range files {
		p := byKey[f.Key]
		if p == nil {
			continue
		}
		if err := f.prove(p, byKey); err != nil {
			return err
		}
	}
	for _, p := range byKey {
		p.narrow()
	}
	return nil
}

// prove looks for proof that records of f's journal are durable in all files of their
// units. What this journal has durably says nothing of the others, so the last record
// is looked at in any case.
//
// A unit that was taken back doesn't count, be it that only its record is durable and
// not the abort behind that: whoever settles it makes the abort so.
func (f *File) prove(p *peek, byKey map[Key]*peek) error {
	aborted := map[wal.ID]bool{}
	for lsn := p.state.Last; lsn > p.state.Applied; lsn-- {
		rec, err := p.Read(lsn)
		if err != nil {
			return err
		}
		if rec.Kind == wal.KindAbort {
			aborted[rec.Unit] = true
		} else if aborted[rec.Unit] {
			p.lasting = min(p.lasting, lsn-1)
			continue
		}
		placed, err := f.placed(rec)
		if err == nil && !placed {
			placed, err = appliedElsewhere(byKey, rec)
		}
		if err != nil {
			return err
		}
		if placed {
			p.lasting = max(p.lasting, lsn)
			alsoLasting(byKey, rec)
		}
		if lsn <= p.lasting {
			break
		}
	}
	return nil
}

// appliedElsewhere tells that another file of rec's unit has been settled with it.
func appliedElsewhere(byKey map[Key]*peek, rec *wal.Record) (bool, error) {
	for _, part := range rec.Participants {
		p := byKey[keyOf(part)]
		if p == nil || p.state.Applied < part.LSN {
			continue
		}
		held, err := holds(p, part.LSN, rec.Unit)
		if err != nil || held == UnitComplete {
			return err == nil, err
		}
	}
	return false, nil
}

// alsoLasting spreads what is known of a unit to its other files.
func alsoLasting(byKey map[Key]*peek, rec *wal.Record) {
	for _, part := range rec.Participants {
		if p := byKey[keyOf(part)]; p != nil && part.LSN <= p.state.Last {
			p.lasting = max(p.lasting, part.LSN)
		}
	}
}

func (p *peek) narrow() {
	if p.lasting < p.state.Last {
		p.state.Last, p.clean = p.lasting, false
		p.state.Applied = min(p.state.Applied, p.lasting)
	}
}

// mayBeStaged tells whether what stands under the name can be what was staged for rec.
// Records that recovery makes do not name that.
func (f *File) mayBeStaged(rec *wal.Record) bool {
	switch {
	case rec.Staged != 0:
		return f.Found.ID.Ino == rec.Staged
	case rec.Flags&(wal.FlagForeign|wal.FlagFound) == wal.FlagForeign:
		return false // it stood there before the record
	}
	return f.Found.ID != f.Journal.State().File
}

// placed tells that putting the version of rec in place has begun. It is never told
// by equal bytes alone, since contents repeat.
func (f *File) placed(rec *wal.Record) (bool, error) {
	switch {
	case !rec.MakesVersion():
		return false, nil
	case rec.Kind == wal.KindInPlace:
		return f.Found.Version != rec.Before, nil // perhaps half of it
	}
	if rec.Before != rec.After && f.Found.Version == rec.After && f.mayBeStaged(rec) {
		return true, nil
	}
	// This name is only ever taken behind the commit point.
	_, err := f.FS.Lstat(Displaced(f.Target))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
