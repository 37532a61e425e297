package wal

import (
	"math"
	"time"
)

// skew is how far the clocks of two machines, or one before and after it was set, may be
// apart and count as one; leases allow for as much (lockmgr.MaxSkew).
const skew = time.Minute

// unset is before every time that a clock can tell which was ever set: jtx is younger. A
// board without a battery begins in 1970, or on the day its firmware was made.
var unset = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// Time is what orders the record: that of its last transaction, which rises from one
// record to the next. It is zero in a record without one, such as an abort.
func (r *Record) Time() time.Time {
	if len(r.Txns) == 0 {
		return time.Time{}
	}
	return r.Txns[len(r.Txns)-1].Time
}

// Made is when the record was made, by the clock of the machine that made it: its Time but
// where a clock that was ahead has dated a record before it into the future.
func (r *Record) Made() time.Time {
	if !r.Clock.IsZero() {
		return r.Clock
	}
	return r.Time()
}

func (r *Record) hasClock() bool { return r.Run > 0 || !r.Clock.IsZero() }

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

// ByClock is the Clock of a record that is dated at: now, where that is further back than
// clocks differ, since one that was ahead has dated a record before it. Else it is zero, as
// where the clock was never set: what such a one says would put the record, and with it the
// end of what is kept, before all others.
func ByClock(at, now time.Time) time.Time {
	if at.Sub(now) > skew && now.After(unset) {
		return now.UTC()
	}
	return time.Time{}
}

// countRun sets a record's Run. One more than there are is harmless: each costs those who
// look for a time another search.
func (l *Log) countRun(r *Record) {
	r.Run = l.state.Run
	if !r.Clock.IsZero() && r.Run < math.MaxUint16 && r.Clock.UnixNano() < l.lastMade() {
		r.Run++
	}
}

// lastMade is when the last record was made, in ns since 1970: at the latest, where that
// can't be told. State does not know it: it is also written where there is no record.
func (l *Log) lastMade() int64 {
	if l.made != 0 || l.state.Last == 0 {
		return l.made
	}
	if rec, err := l.Read(l.state.Last); err == nil && !rec.Time().IsZero() {
		return rec.Made().UnixNano()
	}
	return math.MaxInt64
}

// noteTime notes what the next record must know of the times of those before it.
func (l *Log) noteTime(r *Record) {
	l.state.Run = max(l.state.Run, r.Run)
	if t := r.Time(); !t.IsZero() {
		l.state.Time = max(l.state.Time, t.UnixNano())
		l.made = r.Made().UnixNano()
	}
}
