package wal

import "time"

// Time is when the record was made: that of its last transaction. It is zero in a
// record without one, such as an abort.
func (r *Record) Time() time.Time {
	if len(r.Txns) == 0 {
		return time.Time{}
	}
	return r.Txns[len(r.Txns)-1].Time
}

// Clock is the time for the next record: now, or just behind the last record where
// the machine's clock was set back. So the times in a journal rise with its LSNs,
// and a record is later than every one that its writer has seen under the locks it
// holds.
func (l *Log) Clock(now time.Time) time.Time {
	if least := l.state.Time + 1; now.UnixNano() < least {
		return time.Unix(0, least).UTC()
	}
	return now.UTC()
}

func (s *State) noteTime(r *Record) {
	if t := r.Time(); !t.IsZero() {
		s.Time = max(s.Time, t.UnixNano())
	}
}
