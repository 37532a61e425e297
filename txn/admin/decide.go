package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// decision is what a person has decided of a transaction in doubt.
type decision struct {
	tx      wal.ID
	outcome wal.Outcome
	actor   string
	made    bool
}

// Decide records a person's decision of a transaction that is in doubt, because a
// file of it can't be looked at, in the journal of each file that is there, and settles
// those: committed, or else discarded. It looks for the transaction in the tracked
// files at or below the store's directory, and returns what recovery did. It fails with
// ErrNotFound where there is none such, or where it is not in doubt any more.
func Decide(ctx context.Context, store *txn.Store, id wal.ID, committed bool) (report []FileReport, err error) {
	s := of(store)
	sc, err := s.Scope(ctx, nil)
	if err != nil {
		return nil, err
	}
	d := &decision{tx: id, outcome: wal.OutcomeDiscarded, actor: s.Actor}
	if committed {
		d.outcome = wal.OutcomeCommitted
	}
	var errs []error // of files that can't be looked at; it may be in none of them
	for _, t := range sc.Files {
		ends, err := s.endsWith(t, id)
		if err != nil {
			errs = append(errs, fault.In(t.Name, err))
		}
		if !ends {
			continue
		}
		fr := FileReport{File: t.Real}
		how := doors.Locking{Sweep: true, Decide: d.record, Recovered: func(done []recovery.Done) { fr.Done = done }}
		fr.Err = s.Locked(ctx, []string{t.Real}, how, doors.Nothing)
		report = append(report, fr)
	}
	if !d.made {
		errs = append(errs, &txn.Error{Kind: txn.ErrNotFound, Err: fmt.Errorf("no transaction %s is in doubt in the files below %s", id, s.Dir)})
		for _, fr := range report {
			errs = append(errs, fr.Err)
		}
		return nil, errors.Join(errs...)
	}
	return report, nil
}

// endsWith tells whether the newest version of a file is a transaction's, be that
// committed or not.
func (s house) endsWith(t *workspace.Target, id wal.ID) (bool, error) {
	for rec, err := range s.RecordsBack(t, 0) {
		if err != nil {
			return false, err
		}
		if rec.Kind == wal.KindAbort || rec.MakesVersion() {
			return rec.Kind != wal.KindAbort && versions.HoldsTx(rec, id), nil
		}
	}
	return false, nil
}

// record records the decision where the plan has the transaction in doubt. It tells
// whether the files must be planned anew.
func (d *decision) record(plan *recovery.Plan, files []*recovery.File) (bool, error) {
	for _, u := range plan.Units {
		var doubt *recovery.InDoubtError
		if !versions.HoldsTx(u.Record, d.tx) || !errors.As(u.Doubt(), &doubt) {
			continue
		}
		if err := u.Decide(d.outcome, d.actor, files); err != nil {
			return false, err
		}
		d.made = true
		return true, nil
	}
	return false, nil
}
