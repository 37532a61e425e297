package fuzz

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
)

// TestBinaryUnderKills: shells that run the built jtx, each setting a number of
// its own in three files as one transaction, and kill it at random. In each state
// that a view sees, a shell's number is the same in all files, and not below the
// last one for which jtx exited with 0.
func TestBinaryUnderKills(t *testing.T) {
	b := buildWithSteps(t)
	dir := scratch(t)
	names := []string{"a.json", "b.json", "c.json"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{\n  \"w0\": 0\n}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	row := evidence.Start(t, "the binary in six shells, killed at random", "runs")
	rng := random(t, row)
	s, err := txn.Open(dir, txn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	soak := binarySoak{t: t, b: b, dir: dir, names: names, end: time.Now().Add(time.Duration(*effort) * 2 * time.Second)}
	var shells sync.WaitGroup
	for w := range soak.acknowledged {
		own := rand.New(rand.NewPCG(rng.Uint64(), uint64(w)))
		shells.Go(func() { soak.shell(w, own) })
	}
	for time.Now().Before(soak.end) && !t.Failed() {
		checkWhole(t, dir, names)
		soak.checkInStep(s)
		time.Sleep(5 * time.Millisecond)
	}
	shells.Wait()
	if err := sweep(s, dir); err != nil {
		t.Error(err)
	}
	soak.checkInStep(s)
	verifyDir(t, dir)
	row.Tried, row.Checked = soak.runs, soak.checked
	t.Logf("%d runs, %d of them killed, %d acknowledged", soak.runs, soak.killed, soak.checked)
}

type binarySoak struct {
	t     *testing.T
	b     *binary
	dir   string
	names []string
	end   time.Time

	mu                    sync.Mutex
	acknowledged          [6]int // by shell
	runs, killed, checked int
}

// shell sets numbers that rise. A run that was killed may have done so or not.
func (k *binarySoak) shell(w int, rng *rand.Rand) {
	for n := 1; time.Now().Before(k.end) && !k.t.Failed(); n++ {
		var lines strings.Builder
		for _, name := range k.names {
			fmt.Fprintf(&lines, "{\"file\":%q,\"set\":{\"/w%d\":%d}}\n", name, w, n)
		}
		cmd := exec.Command(k.b.path, "do", "-q", "-")
		cmd.Dir, cmd.Stdin = k.dir, strings.NewReader(lines.String())
		cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+k.dir+"/.state")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			k.t.Error(err)
			return
		}
		// A process that has ended by then is none to kill: its error is of no interest.
		killer := time.AfterFunc(time.Duration(rng.IntN(120))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		alive := killer.Stop()
		k.mu.Lock()
		switch k.runs++; {
		case err == nil:
			k.acknowledged[w] = n
			k.checked++
		case alive:
			k.t.Errorf("jtx failed, though it was not killed: %v: %s", err, &out)
		default:
			k.killed++
		}
		k.mu.Unlock()
	}
}

// checkInStep takes the acknowledged numbers first: what is seen after may be
// newer, never older.
func (k *binarySoak) checkInStep(s *txn.Store) {
	k.mu.Lock()
	least := k.acknowledged
	k.mu.Unlock()
	err := s.View(context.Background(), k.names, func(tx *txn.Tx) error {
		var first map[string]int
		for _, name := range k.names {
			data, err := tx.Bytes(name)
			if err != nil {
				return err
			}
			var seen map[string]int
			if err := json.Unmarshal(data, &seen); err != nil {
				return err
			}
			if first == nil {
				first = seen
			}
			for w := range least {
				word := fmt.Sprintf("w%d", w)
				if seen[word] != first[word] || seen[word] < least[w] {
					return fmt.Errorf("%s has %s %d, %s has %d, acknowledged were %d", name, word, seen[word], k.names[0], first[word], least[w])
				}
			}
		}
		return nil
	})
	if err != nil {
		k.t.Error(err)
	}
}
