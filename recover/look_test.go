package recovery

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys"
)

// savedLater is a file system on which another program ends its save after the first look.
type savedLater struct {
	fsys.FS
	name  string
	looks int
	save  func()
}

func (s *savedLater) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	if name == s.name {
		if s.looks++; s.looks == 2 {
			s.save()
		}
	}
	return s.FS.OpenFile(name, flag, perm)
}

// TestLookWaitsForASave: a file that has just been cut short, or has gone, is looked at
// again, and what is found then counts.
func TestLookWaitsForASave(t *testing.T) {
	for name, standing := range map[string]string{"cut short": textBroken, "gone": ""} {
		t.Run(name, func(t *testing.T) {
			for range 100 { // a machine that is too busy to look twice within SettleTime
				p := newPlace(t, "f.json")
				p.build(Settled, textNew, newest(Settled, 0))
				f := p.open()
				p.write(standing)
				soon := time.Now().Add(time.Hour) // it is young, however long this takes
				for _, path := range []string{p.dir, p.target()} {
					if err := os.Chtimes(path, soon, soon); !errors.Is(err, fs.ErrNotExist) {
						require.NoError(t, err)
					}
				}
				saver := &savedLater{FS: fsys.OS, name: p.target(), save: func() { p.write(textOther) }}
				f.FS = saver
				start := time.Now()
				require.NoError(t, f.Look())
				if saver.looks == 1 {
					require.Greater(t, time.Since(start), SettleTime)
					continue
				}
				require.Equal(t, 2, saver.looks)
				require.Equal(t, versionOfText(textOther), f.Found.Version)
				return
			}
		})
	}
}
