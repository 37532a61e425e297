package wal

import (
	"errors"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Report is what Inspect found.
type Report struct {
	Dir      string   // the journal's directory
	Gen      uint32   // and its generation
	State    State    // zero if missing or torn
	StateOK  bool     // it is neither
	First    LSN      // the first and the last whole record, 0 if there is none
	Last     LSN      //
	Durable  LSN      // every record up to it is known to be durable
	Named    LSN      // the file's name durably led to the version of this record, or to a later one
	Records  int      // whole records
	Segments int      //
	Bytes    int64    // of whole records
	Torn     bool     // there is something behind the last whole record, and not only zeros
	TornSize int64    // what is there, zeros too, in bytes: the next writer will cut it
	Temps    []string // files that were never finished, which the next writer will remove
	Damage   []error  // *CorruptError each; at most one for each segment
}

// Inspect reads the whole journal, without a lock and without a write. What is
// damaged is in the report; the error is for what couldn't be looked at.
func Inspect(fsy fsys.FS, dir string) (Report, error) { return inspectFrom(fsy, dir, 0) }

// Ending is Inspect for where the journal ends: it reads the last segment, and the one
// before, which tells where the last one begins, as [Open] does after a reboot. What is
// counted in the report is of those two.
func Ending(fsy fsys.FS, dir string) (Report, error) { return inspectFrom(fsy, dir, 2) }

// inspectFrom reads the last segments; all where that is 0.
func inspectFrom(fsy fsys.FS, dir string, last int) (Report, error) {
	for try := 1; ; try++ {
		r, err := inspect(orOS(fsy), dir, last)
		suspect := err
		if err == nil && len(r.Damage) > 0 {
			suspect = r.Damage[0]
		}
		if !lookAgain(try, suspect) {
			if errors.Is(err, ErrCorrupt) {
				r.Damage, err = append(r.Damage, err), nil
			}
			return r, err
		}
	}
}

func inspect(fsy fsys.FS, dir string, last int) (Report, error) {
	v, err := look(fsy, dir)
	r := Report{
		Dir: v.dir, Gen: v.gen, State: v.state, StateOK: v.stateOK,
		Durable: v.state.Durable, Named: v.state.Named, Segments: len(v.segments), Temps: v.temps,
	}
	if err != nil {
		return r, err
	}
	first := 0
	if last > 0 {
		first = max(len(v.segments)-last, 0)
	}
	var from start
	for i := first; i < len(v.segments); i++ {
		seg := v.segments[i]
		if from.next != seg.first {
			from = v.startOf(i)
		}
		c, err := readSegment(fsy, seg, from, v.limit(i))
		if err != nil {
			return r, err
		}
		r.count(c)
		if err := c.damage(v.state.Durable); err != nil {
			r.Damage = append(r.Damage, err)
		}
		from = c.after()
	}
	return r, nil
}

func (r *Report) count(c *contents) {
	r.Records += len(c.entries)
	r.Bytes += c.end
	if c.seg.first > 1 {
		r.Durable = max(r.Durable, c.seg.first-1)
	}
	for _, e := range c.entries {
		if r.First == 0 {
			r.First = e.rec.LSN
		}
		r.Last = e.rec.LSN
		r.Durable, r.Named = max(r.Durable, e.rec.Durable), max(r.Named, e.rec.Named)
		if e.rec.Kind == KindBegin {
			r.Durable = max(r.Durable, e.rec.LSN) // its generation was synced before it became the journal
		}
	}
	if c.limit == 0 && c.bad != nil {
		r.Torn = !c.isBlank()
		r.TornSize = int64(len(c.data)) - c.end
	}
}
