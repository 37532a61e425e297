package selftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal/fsys"
)

// systemCalls lists what jtx does in another way than on most disks.
func (r *run) systemCalls() (Verdict, string, error) {
	dir := r.path("calls")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return Failed, "", err
	}
	list, err := fsys.Needs(dir)
	if err != nil {
		return Failed, "", err
	}
	verdict, words := OK, []string{}
	for _, n := range list {
		if n.Weaker {
			verdict = Limited
		}
		words = append(words, fmt.Sprintf("no %s: %s", n.Call, n.Instead))
	}
	if len(words) == 0 {
		return OK, "all that jtx can use are there", nil
	}
	return verdict, strings.Join(words, "; "), nil
}

// tooFast is the time below which an fsync has hardly reached a disk: the fastest
// with a battery behind their cache answer in about this.
const tooFast = 15 * time.Microsecond

// fsync takes the time of syncs. Whether what was synced survives a power cut can't
// be seen without one, but a sync that takes no time is one that does nothing.
func (r *run) fsync() (Verdict, string, error) {
	f, err := os.Create(r.path("sync"))
	if err != nil {
		return Failed, "", err
	}
	defer f.Close()
	var times []time.Duration
	for i := range 21 {
		if _, err := f.WriteAt(bytes.Repeat([]byte{byte(i)}, 4096), int64(i)*4096); err != nil {
			return Failed, "", err
		}
		start := time.Now()
		if err := f.Sync(); err != nil {
			return Failed, "", err
		}
		times = append(times, time.Since(start))
	}
	if err := fsys.SyncDir(fsys.OS, r.work); err != nil {
		return Failed, "", fmt.Errorf("a directory can't be synced: %w", err)
	}
	slices.Sort(times)
	median := times[len(times)/2]
	detail := fmt.Sprintf("takes %s", median.Round(time.Microsecond))
	switch {
	case r.fs.memory:
		return Limited, detail + ": there is no disk", nil
	case median < tooFast:
		return Limited, detail + ": too fast for a disk, it may not reach one", nil
	}
	return OK, detail, nil
}

// document is whole only if both ends of it carry the same number.
func document(n, size int) []byte {
	return fmt.Appendf(nil, "{\"n\": %d, \"pad\": %q, \"m\": %d}\n", n, bytes.Repeat([]byte("x"), size), n)
}

// rename replaces a file many times while it is read.
func (r *run) rename() (Verdict, string, error) {
	const most, size = 300, 20000
	name := r.path("renamed.json")
	if err := os.WriteFile(name, document(0, size), 0o600); err != nil {
		return Failed, "", err
	}
	open, err := os.Open(name)
	if err != nil {
		return Failed, "", err
	}
	defer open.Close()
	done, cancel := context.WithCancel(r.ctx)
	var reads int
	var torn error
	var readers sync.WaitGroup
	readers.Go(func() { reads, torn = readWhole(done, name, size) })
	times := 0
	for start := time.Now(); times < most && time.Since(start) < r.Time/2 && err == nil; times++ {
		err = fsys.WriteFileAtomic(fsys.OS, name, document(times+1, size), 0o600)
	}
	cancel()
	readers.Wait()
	if err = errors.Join(err, torn); err != nil {
		return Failed, "", err
	}
	old, err := io.ReadAll(open)
	if err != nil || !bytes.Equal(old, document(0, size)) {
		return Failed, "", fmt.Errorf("a file that was open changed when another was renamed over it: %w", err)
	}
	return OK, fmt.Sprintf("%d times over a file that was read %d times, always whole", times, reads), nil
}

// readWhole reads a file until it is told to stop. It must be there, and whole.
func readWhole(ctx context.Context, name string, size int) (reads int, err error) {
	for ; ctx.Err() == nil; reads++ {
		data, err := os.ReadFile(name)
		if err != nil {
			return reads, fmt.Errorf("while it was renamed over: %w", err)
		}
		var n int
		if _, err := fmt.Sscanf(string(data), "{\"n\": %d,", &n); err != nil || !bytes.Equal(data, document(n, size)) {
			return reads, fmt.Errorf("while it was renamed over, a file showed %d bytes of no version: %w", len(data), err)
		}
	}
	return reads, nil
}

// exchange looks for what lets a commit see that another program saved in its
// instant.
func (r *run) exchange() (Verdict, string, error) {
	a, b := r.path("a"), r.path("b")
	for _, name := range []string{a, b} {
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			return Failed, "", err
		}
	}
	err := fsys.OS.Exchange(a, b)
	if errors.Is(err, errors.ErrUnsupported) {
		return Limited, "two names can't be exchanged here: what another program saves in the instant of a commit may be lost", nil
	}
	if err != nil {
		return Failed, "", err
	}
	if data, err := os.ReadFile(a); err != nil || string(data) != b {
		return Failed, "", fmt.Errorf("exchanging two names said success and did not: %w", err)
	}
	return OK, "two names are exchanged in one step", nil
}

// outsideEdit saves as an editor does, and expects the edit in the history.
func (r *run) outsideEdit() (Verdict, string, error) {
	const file = "edited.json"
	set := func(v int) error {
		_, err := r.store.Do(r.ctx, []string{file}, func(tx *txn.Tx) error { return tx.Set(file, "/v", v) })
		return err
	}
	if err := set(1); err != nil {
		return Failed, "", err
	}
	if err := os.WriteFile(r.path(file), []byte("{\"edited\": true}\n"), 0o600); err != nil {
		return Failed, "", err
	}
	if err := set(2); err != nil {
		return Failed, "", err
	}
	for e, err := range history.Log(r.ctx, r.store, []string{file}, history.LogOptions{}) {
		if err != nil {
			return Failed, "", err
		}
		if e.Foreign {
			return OK, "is recorded as a version", r.verified()
		}
	}
	return Failed, "", errors.New("what another program saved is not in the history")
}
