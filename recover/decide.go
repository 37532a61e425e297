package recovery

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// A person can decide what became of a unit that is in doubt. That is recorded in the
// journal of every participant that is there, durably, before it is acted upon: the
// record follows the unit's, and the abort of that.

// Decide records a person's decision of a unit in doubt in the journals of files, its
// participants that are there. The caller plans again then.
func (u *UnitPlan) Decide(outcome wal.Outcome, actor string, files []*File) error {
	for _, f := range u.participants(files) {
		if err := f.tellDecision(u.Unit, outcome, actor); err != nil {
			return err
		}
	}
	for _, f := range u.Holders {
		if err := f.Log.Secure(); err != nil {
			return err
		}
		if outcome == wal.OutcomeDiscarded {
			if err := Abort(f.Log, u.Unit); err != nil {
				return err
			}
			fsys.Step("recovery.unit-aborted")
		}
	}
	for _, part := range u.Record.Participants {
		for _, f := range files {
			if f.Key != keyOf(part) {
				continue
			}
			if err := f.recordDecision(u.Unit, part.LSN, outcome, actor); err != nil {
				return err
			}
			fsys.Step("recovery.decided")
		}
	}
	return nil
}

// participants are those of the files that have a part in the unit.
func (u *UnitPlan) participants(files []*File) (list []*File) {
	for _, f := range files {
		if slices.ContainsFunc(u.Record.Participants, func(part wal.Participant) bool { return f.Key == keyOf(part) }) {
			list = append(list, f)
		}
	}
	return list
}

func (f *File) recordDecision(unit wal.ID, lsn wal.LSN, outcome wal.Outcome, actor string) error {
	clock := now()
	at := f.Log.Clock(clock)
	rec := &wal.Record{Kind: wal.KindDecision, Unit: wal.NewIDAt(at), Clock: wal.ByClock(at, clock), Rev: f.Log.State().Rev, Facts: []wal.Fact{{Unit: unit, LSN: lsn, Outcome: outcome}}}
	rec.Txns = []wal.Txn{{ID: rec.Unit, Time: at, Actor: actor, Message: fmt.Sprintf("decided that %s is %s", unit, outcomeText(outcome))}}
	if err := f.Log.Append(rec); err != nil {
		return err
	}
	return f.Log.Sync()
}

func outcomeText(o wal.Outcome) string {
	if o == wal.OutcomeCommitted {
		return "committed"
	}
	return "discarded"
}

// ContraryError is returned where persons have decided otherwise of the same unit, in
// journals that have met since. Nothing is done until all but one of the files'
// histories are set aside.
type ContraryError struct {
	Unit                 wal.ID
	Committed, Discarded string // the files whose journals say so
}

func (e *ContraryError) Error() string {
	return fmt.Sprintf("transaction %s was decided to be committed, says the journal of %s, and to be discarded, says that of %s", e.Unit, e.Committed, e.Discarded)
}

func (e *ContraryError) Unwrap() error { return ErrDamaged }

// decided looks for a person's decision of rec's unit in the journals of those of its
// participants that are there. It is UnitUnreachable where there is none.
func (p *planner) decided(rec *wal.Record) (Unit, *ContraryError, error) {
	e := &ContraryError{Unit: rec.Unit}
	for _, part := range rec.Participants {
		f := p.byKey[keyOf(part)]
		if f == nil {
			continue
		}
		outcome, err := decisionIn(f.Journal, part.LSN, rec.Unit)
		if err != nil {
			return 0, nil, err
		}
		switch outcome {
		case wal.OutcomeCommitted:
			e.Committed = f.Target
		case wal.OutcomeDiscarded:
			e.Discarded = f.Target
		}
	}
	switch {
	case e.Committed != "" && e.Discarded != "":
		return UnitContrary, e, nil
	case e.Committed != "":
		return UnitDecided, nil, nil
	}
	return UnitUnreachable, nil, nil
}

// decisionIn is 0 where a journal has no decision of unit: one stands behind the unit's
// record at lsn, or its abort, and before any other version.
func decisionIn(j Journal, lsn wal.LSN, unit wal.ID) (wal.Outcome, error) {
	for at := lsn + 1; at <= j.State().Last; at++ {
		rec, err := j.Read(at)
		switch {
		case errors.Is(err, wal.ErrNotFound):
			return 0, nil // it was dropped, and the journal's facts tell
		case err != nil:
			return 0, err
		case rec.Kind == wal.KindDecision && rec.Facts[0].Unit == unit:
			return rec.Facts[0].Outcome, nil
		case rec.MakesVersion():
			return 0, nil
		}
	}
	return 0, nil
}

// proven tells that what was staged for rec's unit in one of its files has come to
// stand under that file's name: nothing is placed before all of a unit is durable.
// Equal bytes alone prove nothing, since contents repeat.
func (p *planner) proven(rec *wal.Record) (bool, error) {
	for _, part := range rec.Participants {
		f := p.byKey[keyOf(part)]
		if f == nil {
			continue
		}
		own, err := f.Journal.Read(part.LSN)
		if errors.Is(err, wal.ErrNotFound) {
			continue // it was dropped
		}
		if err != nil {
			return false, err
		}
		if own.Unit == rec.Unit && own.Staged != 0 && f.Found.Version == own.After && f.Found.ID.Ino == own.Staged {
			return true, nil
		}
	}
	return false, nil
}

// lastAct is the last record of a journal that makes a version or takes one back: nil
// where there is none. What persons have decided may follow it.
func lastAct(j Journal) (*wal.Record, error) {
	for lsn := j.State().Last; lsn > 0; lsn-- {
		rec, err := j.Read(lsn)
		if errors.Is(err, wal.ErrNotFound) {
			return nil, nil // it was dropped
		}
		if err != nil || rec.Kind == wal.KindAbort || rec.MakesVersion() {
			return rec, err
		}
	}
	return nil, nil
}
