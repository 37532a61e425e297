package txn

import (
	"errors"
	"fmt"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// withdraw takes back a unit before anything of it was renamed: staged files are
// removed, and where a record went, an abort follows it. A single durable abort,
// or a single journal that certainly lacks the record, decides; without either,
// the unit is in doubt. It returns cause, or what became of it.
func (u *unit) withdraw(cause error) error {
	errs := []error{u.discard()}
	certain := false
	for _, f := range u.files {
		gone, err := u.takeBack(f)
		certain = certain || gone
		errs = append(errs, err)
	}
	cleanup := errors.Join(errs...)
	if !certain {
		return &Error{Kind: ErrInDoubt, File: u.files[0].t.Name, Err: fmt.Errorf("%w; and taking it back failed: %v", cause, cleanup)}
	}
	if cleanup == nil {
		cleanup = u.settleBack()
	}
	if cleanup != nil && errors.Is(cause, workspace.ErrAgain) {
		// Going on at once would meet the same trouble.
		return fault.In(u.files[0].t.Name, cleanup)
	}
	return cause // what could not be tidied up, the next opener does
}

// takeBack makes sure that f's journal does not end with the unit's record, and
// tells whether that is certain now.
func (u *unit) takeBack(f *unitFile) (certain bool, err error) {
	if !f.appended {
		return true, nil
	}
	if err := f.log.Reopen(); err != nil {
		return false, err
	}
	if f.log.Empty() {
		return true, nil
	}
	last, err := f.log.Read(f.log.State().Last)
	if err != nil {
		return false, err
	}
	if last.Unit != u.id {
		return true, nil
	}
	if err := recovery.Abort(f.log, u.id); err != nil {
		return false, err
	}
	return true, nil
}

// settleBack writes to `state` that the versions before the unit are in place, or
// adopts what another program saved.
func (u *unit) settleBack() error {
	for _, f := range u.files {
		if err := f.t.File.Look(); err != nil {
			return err
		}
	}
	plan, err := recovery.MakePlan(u.recoveryFiles(), nil)
	if err != nil {
		return err
	}
	for _, done := range recovery.Apply(plan) {
		if done.Err != nil {
			return done.Err
		}
	}
	return nil
}

func (u *unit) discard() error {
	var errs []error
	for _, f := range u.files {
		errs = append(errs, f.repl.Discard())
	}
	return errors.Join(errs...)
}
