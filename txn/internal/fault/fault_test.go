package fault

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSharedErrorsAreNotWrittenTo: the members of a group, and whoever waits for one
// workspace, are given one error, and each names a file in it.
func TestSharedErrorsAreNotWrittenTo(t *testing.T) {
	cause := errors.New("the disk failed")
	for name, shared := range map[string]error{
		"bare":    &Error{Kind: ErrInDoubt, Err: cause},
		"joined":  errors.Join(errors.New("first"), &Error{Kind: ErrInDoubt, Err: cause}),
		"wrapped": fmt.Errorf("while committing: %w", &Error{Kind: ErrInDoubt, Err: cause}),
	} {
		t.Run(name, func(t *testing.T) {
			before := shared.Error()
			for _, file := range []string{"/w/a.json", "/w/b.json"} {
				err := AsNamed(In(file, shared), []string{file}, []string{"mine " + file})
				var e *Error
				require.True(t, errors.As(err, &e))
				require.Equal(t, "mine "+file, e.File)
				require.ErrorIs(t, err, ErrInDoubt)
				require.ErrorIs(t, err, cause)
				require.Equal(t, before, shared.Error())
			}
		})
	}
	notFound := &Error{Kind: ErrNotFound, File: "a"}
	require.ErrorIs(t, Conflict("a", notFound), ErrConflict)
	require.Equal(t, ErrNotFound, notFound.Kind)
}
