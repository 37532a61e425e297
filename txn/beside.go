package txn

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// besidePause is how long, behind a look for protected files that have appeared beside
// changes, the next one is put off: it goes up to the root, and takes as long as half a
// small commit.
const besidePause = 100 * time.Millisecond

// beside are the directories in which protected files are to be looked for.
type beside struct {
	mu     sync.Mutex
	looked time.Time
	due    map[string]string // a name in each directory
	timer  *time.Timer       // set while any is due
}

// trackBeside begins the history of protected files that have appeared beside names: at
// once, or behind the pause where changes follow each other.
func (s *Store) trackBeside(ctx context.Context, names []string) {
	b := &s.beside
	b.mu.Lock()
	rest := besidePause - time.Since(b.looked)
	if len(b.due) == 0 && rest <= 0 {
		b.looked = time.Now()
		b.mu.Unlock()
		Within(s).TrackBeside(ctx, names)
		return
	}
	defer b.mu.Unlock()
	if len(b.due) == 0 {
		b.due = map[string]string{}
		b.timer = time.AfterFunc(rest, s.trackDue)
	}
	for _, name := range names {
		b.due[filepath.Dir(name)] = name
	}
}

// trackDue looks where it was put off.
func (s *Store) trackDue() {
	b := &s.beside
	b.mu.Lock()
	names := slices.Sorted(maps.Values(b.due))
	if len(names) > 0 {
		b.timer.Stop()
		b.due, b.looked = nil, time.Now()
	}
	b.mu.Unlock()
	Within(s).TrackBeside(context.Background(), names)
}
