package lockmgr

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// long is a timeout that no passing test waits for.
const long = time.Minute

// roleEnv makes the test binary play one process of a test instead of testing.
const roleEnv = "LOCKMGR_TEST_ROLE"

func TestMain(m *testing.M) {
	raw, ok := os.LookupEnv(roleEnv)
	if !ok {
		os.Exit(m.Run())
	}
	var r role
	if err := json.Unmarshal([]byte(raw), &r); err != nil {
		panic(err)
	}
	if err := roles[r.Name](r); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// role is what another process of a test does.
type role struct {
	Name    string
	Paths   []string
	Mode    Mode
	Timeout time.Duration
	Counter string
	Total   int
	Seed    uint64
	Lease   Lease
}

var roles = map[string]func(role) error{
	"hold":  playHold,
	"count": playCount,
	"dance": playDance,
	"grant": playGrant,
	"keep":  playKeep,
	"probe": playProbe,
}

func (r role) request() []Request {
	var reqs []Request
	for _, p := range r.Paths {
		reqs = append(reqs, Request{Order: p, Path: p, Mode: r.Mode})
	}
	return reqs
}

// playHold holds its locks until its standard input ends.
func playHold(r role) error {
	h, err := Default.Acquire(context.Background(), r.Timeout, r.request())
	if err != nil {
		return err
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return h.Release()
}

// playCount increments the counter until it has reached the total, and says how
// often it was its turn.
func playCount(r role) error {
	for n := 0; ; n++ {
		h, err := Default.Acquire(context.Background(), r.Timeout, r.request())
		if err != nil {
			return err
		}
		now, err := increment(r.Counter, r.Total)
		if err = errors.Join(err, h.Release()); err != nil {
			return err
		}
		if now >= r.Total {
			fmt.Println(n)
			return nil
		}
	}
}

// increment would lose updates if it weren't alone. It returns what it found.
func increment(path string, limit int) (int, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil || n >= limit {
		return n, err
	}
	return n, os.WriteFile(path, []byte(strconv.Itoa(n+1)), 0o600)
}

// playDance locks random subsets of its paths, in random order and mode.
func playDance(r role) error {
	rnd := rand.New(rand.NewPCG(r.Seed, 0))
	for range r.Total {
		var reqs []Request
		for _, i := range rnd.Perm(len(r.Paths))[:1+rnd.IntN(len(r.Paths))] {
			p := r.Paths[i]
			reqs = append(reqs, Request{Order: p, Path: p, Mode: Mode(rnd.IntN(2))})
		}
		h, err := Default.Acquire(context.Background(), r.Timeout, reqs)
		if err != nil {
			return err
		}
		if err := h.Release(); err != nil {
			return err
		}
	}
	return nil
}

// playKeep takes a lease that lives with it, until its standard input ends.
func playKeep(r role) error {
	h, err := Default.Acquire(context.Background(), r.Timeout, r.request())
	if err != nil {
		return err
	}
	_, keeper, err := h.Keep(r.Paths[0], r.Lease)
	if err = errors.Join(err, h.Release()); err != nil {
		return err
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return keeper.Close()
}

// playGrant takes a lease and exits.
func playGrant(r role) error {
	h, err := Default.Acquire(context.Background(), r.Timeout, r.request())
	if err != nil {
		return err
	}
	if _, err := h.Grant(r.Paths[0], r.Lease); err != nil {
		return err
	}
	return h.Release()
}

// playProbe says what it sees of a lock, and whether a wait names anybody.
func playProbe(r role) error {
	s, err := Default.Probe(r.Paths[0])
	if err != nil {
		return err
	}
	_, err = Default.Acquire(context.Background(), r.Timeout, r.request())
	fmt.Printf("%s %d %v\n", s.State, len(s.Holders), err)
	return nil
}

// player is a process that plays a role.
type player struct {
	cmd   *exec.Cmd
	out   *bufio.Reader
	stdin io.Closer
}

func play(t testing.TB, r role) *player {
	t.Helper()
	return playUnder(t, r, os.Args[0])
}

// playUnder runs the test binary through another command.
func playUnder(t testing.TB, r role, command ...string) *player {
	t.Helper()
	raw, err := json.Marshal(r)
	require.NoError(t, err)
	cmd := exec.Command(command[0], command[1:]...)
	// A race-enabled process would sleep for a second before it exits.
	cmd.Env = append(os.Environ(), roleEnv+"="+string(raw), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_, _ = cmd.Process.Wait()
	})
	return &player{cmd, bufio.NewReader(out), stdin}
}

func (p *player) pid() int { return p.cmd.Process.Pid }

func (p *player) line(t testing.TB) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

// finish waits for the end and returns all that was not read of the output.
func (p *player) finish(t testing.TB) string {
	t.Helper()
	_ = p.stdin.Close()
	rest, err := io.ReadAll(p.out)
	require.NoError(t, err)
	require.NoError(t, p.cmd.Wait(), "%s", rest)
	return strings.TrimSpace(string(rest))
}

// kill is kill -9.
func (p *player) kill(t testing.TB) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

// hold starts a process that holds path.
func hold(t testing.TB, mode Mode, path string) *player {
	t.Helper()
	p := play(t, role{Name: "hold", Paths: []string{path}, Mode: mode, Timeout: long})
	require.Equal(t, "held", p.line(t))
	return p
}

func lockPath(t testing.TB) string { return filepath.Join(t.TempDir(), "lock") }

func one(mode Mode, path string) []Request {
	return []Request{{Order: path, Path: path, Mode: mode, Name: "config.json"}}
}

func acquire(t testing.TB, m *Manager, reqs []Request) *Held {
	t.Helper()
	h, err := m.Acquire(context.Background(), long, reqs)
	require.NoError(t, err)
	return h
}

// stamped waits until the holder of a lock has left its text.
func stamped(t testing.TB, path string) {
	t.Helper()
	eventually(t, "the holder leaves its text", func() bool {
		_, ok, err := ReadHolder(path)
		return err == nil && ok
	})
}

// try acquires without waiting.
func try(m *Manager, reqs []Request) error {
	h, err := m.Acquire(context.Background(), 0, reqs)
	if err != nil {
		return err
	}
	return h.Release()
}

// eventually waits for what must come, however slow the machine is.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(long); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Fatalf("never: %s\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}

func idle(m *Manager) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.queues) == 0 && len(m.leaseWaits) == 0
}

// inLine is how many callers wait in this process's queue for path.
func inLine(m *Manager, path string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q := m.queues[path]; q != nil {
		return len(q.waiting)
	}
	return 0
}

func openFiles(t testing.TB) int {
	t.Helper()
	// The runtime opens two files of its own when something is first waited for, and keeps
	// them: be it before the count.
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, errors.Join(r.Close(), w.Close()))
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(list)
}

// seed prints what repeats a random test, and takes it from JTX_TEST_SEED.
func seed(t testing.TB) uint64 {
	t.Helper()
	s := rand.Uint64()
	if v := os.Getenv("JTX_TEST_SEED"); v != "" {
		var err error
		s, err = strconv.ParseUint(v, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("JTX_TEST_SEED=%d", s)
	return s
}
