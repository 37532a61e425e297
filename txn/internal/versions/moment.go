package versions

import (
	"iter"
	"time"

	"github.com/jtx-project/jtx/wal"
)

// Moment is a place in the order of several histories.
type Moment struct {
	made  time.Time // behind what was made up to then, by the clock of who made it
	dated time.Time // behind what is dated up to then
	// least are the LSNs up to which a history is before the moment in any case, by the
	// file's real name.
	least map[string]wal.LSN
	// exact are the LSNs at which a history is cut, whatever the times.
	exact map[string]wal.LSN
}

// Behind is the moment behind a unit, of which a record is given: in histories that are
// looked at together, and in which find finds the unit's records.
func (s *Source) Behind(heads []Head, rec *wal.Record, find func(Head) (*wal.Record, error)) (*Moment, error) {
	if rec.Clock.IsZero() {
		return &Moment{dated: rec.Time()}, nil
	}
	m, err := s.MomentOf(heads, rec.Clock) // dates say nothing of files that nobody joined
	for _, h := range heads {
		if err != nil {
			return nil, err
		}
		if h.Err != nil || h.Last == 0 {
			continue
		}
		var its *wal.Record
		if its, err = find(h); its != nil {
			m.exact[h.Target.Real] = its.LSN
			err = s.complete(m, heads, h, its)
		}
	}
	return m, err
}

// MomentOf is the moment of a time that a person means, for histories that are looked at
// together. A record that a clock has dated into the future was made before the next one
// in its journal, if there is one: so it counts where that does, and its whole unit with
// it, and what comes before that in the journals of the unit's other files.
func (s *Source) MomentOf(heads []Head, at time.Time) (*Moment, error) {
	m := &Moment{made: at, least: map[string]wal.LSN{}, exact: map[string]wal.LSN{}}
	for _, h := range heads {
		if h.Err != nil || h.Last == 0 || h.Run == 0 {
			continue
		}
		early, err := s.madeUpTo(h, at)
		if err != nil {
			return nil, err
		}
		rec, err := s.LastVersionWhere(h, early)
		if err == nil {
			err = s.complete(m, heads, h, rec)
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

// complete makes sure that a moment behind a record of one history is behind the whole of
// each unit before it.
func (s *Source) complete(m *Moment, heads []Head, h Head, rec *wal.Record) error {
	for ahead, err := range s.ahead(h, rec, m.made) {
		if err != nil {
			return err
		}
		for _, part := range ahead.Participants {
			last := part.LSN + wal.LSN(part.Count) - 1
			for _, other := range heads {
				name := other.Target.Real
				if last > other.Last || m.least[name] >= last || name == h.Target.Real || !other.Target.IsParticipant(part) {
					continue
				}
				m.least[name] = last
				its, err := s.VersionAt(other.Target, last)
				if err == nil {
					err = s.complete(m, heads, other, its)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ahead are the records from one on down that are dated behind a time.
func (s *Source) ahead(h Head, rec *wal.Record, at time.Time) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		for rec != nil {
			run := uint16(0)
			for older, err := range s.Versions(h.Target, rec.LSN) {
				if err == nil && !older.Made().After(at) {
					run = older.Run
					break
				}
				if !yield(older, err) {
					return
				}
			}
			if run == 0 {
				return // all that is older was made before, or nothing is
			}
			var err error
			if rec, err = s.LastVersionWhere(h, func(rec *wal.Record) bool { return rec.Run < run }); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// madeUpTo is what [Source.LastWhere] asks of a record to find the last one that was made
// up to a time: in the newest run that has one.
func (s *Source) madeUpTo(h Head, at time.Time) (func(*wal.Record) bool, error) {
	for run := h.Run; ; {
		early := func(rec *wal.Record) bool { return rec.Run < run || rec.Run == run && !rec.Made().After(at) }
		if run == 0 {
			return early, nil
		}
		rec, err := s.LastVersionWhere(h, early)
		if err != nil || rec == nil || rec.Run == run {
			return early, err
		}
		run = rec.Run
	}
}

// AtMoment is the version that was current at a moment, nil where the file has none so
// old. Who asks is told where a clock was ahead and nothing was made since: then it isn't
// known when the newest version was made.
func (s *Source) AtMoment(h Head, m *Moment) (*wal.Record, error) {
	if IsAhead(h.Time) && !m.made.IsZero() && !IsAhead(m.made) {
		newest, err := s.VersionAt(h.Target, h.Last)
		if err != nil {
			return nil, err
		}
		if newest != nil && IsAhead(newest.Made()) {
			s.Mark(Mark{File: h.Target.Name, Kind: MarkAhead, Rev: h.Rev, Time: newest.Made()})
		}
	}
	early, err := s.UpTo(h, m)
	if err != nil {
		return nil, err
	}
	return s.LastVersionWhere(h, early)
}

// UpTo is what [Source.LastWhere] asks of a record to find the last one at a moment.
func (s *Source) UpTo(h Head, m *Moment) (func(*wal.Record) bool, error) {
	if m.made.IsZero() {
		return func(rec *wal.Record) bool { return !rec.Time().After(m.dated) }, nil
	}
	if last, ok := m.exact[h.Target.Real]; ok {
		return func(rec *wal.Record) bool { return rec.LSN <= last }, nil
	}
	made, err := s.madeUpTo(h, m.made)
	least := m.least[h.Target.Real]
	return func(rec *wal.Record) bool { return rec.LSN <= least || made(rec) }, err
}
