package cli

import (
	"fmt"
	"slices"
)

// severalErrors are those of a verb over many files, each of which is told. The worst
// of them decides the exit code.
type severalErrors struct {
	errs  []error
	worst error
}

func (e *severalErrors) Error() string {
	return fmt.Sprintf("%d failed, first of all %v", len(e.errs), e.worst)
}
func (e *severalErrors) Unwrap() error { return e.worst }

// Several makes one error of many, those that are joined included; nil of none.
func Several(errs ...error) error {
	var flat []error
	for _, err := range errs {
		flat = append(flat, Parts(err)...)
	}
	if len(flat) < 2 {
		return append(flat, nil)[0]
	}
	worst := flat[0]
	for _, err := range flat[1:] {
		if severity(err) < severity(worst) {
			worst = err
		}
	}
	return &severalErrors{flat, worst}
}

// Parts are the errors that one only holds together.
func Parts(err error) []error {
	if err == nil {
		return nil
	}
	//lint:ignore errorlint one that is wrapped is an error of its own
	if all, ok := err.(*severalErrors); ok {
		return all.errs
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok || !isJoined(err, many.Unwrap()) {
		return []error{err}
	}
	var list []error
	for _, e := range many.Unwrap() {
		list = append(list, Parts(e)...)
	}
	return list
}

// bySeverity are the exit codes of which the first that occurred counts.
var bySeverity = []int{ExitDamaged, ExitInDoubt, ExitIO, ExitLocked, ExitInvalid}

func severity(err error) int {
	if at := slices.Index(bySeverity, ExitOf(err)); at >= 0 {
		return at
	}
	return len(bySeverity)
}
