// Command table runs the crash tests and prints what they have tried, as the
// Markdown tables of fuzz/EVIDENCE.md. It must be run in the module:
//
//	go run ./fuzz/evidence/table [-effort N] [-seed N] [-time D]
//
// It fails where a test did, which then says how to repeat it.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jtx-project/jtx/fuzz/evidence"
)

var (
	effort = flag.Int("effort", 1, "how much more than usual to try")
	seed   = flag.Uint64("seed", 0, "repeat the run of this seed; 0 draws one")
	length = flag.Duration("time", time.Second, "how long each test on a real disk goes on")
)

func main() {
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(rand.Uint32()) + 1
	}
	rows, err := collect()
	if err := show(os.Stdout, rows); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// collect runs the tests and reads what they wrote, also where some failed.
func collect() ([]evidence.Row, error) {
	dir, err := os.MkdirTemp("", "jtx-evidence")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "rows")
	err = errors.Join(
		test(name, "./fuzz", fmt.Sprintf("-fuzz.effort=%d", *effort), fmt.Sprintf("-fuzz.seed=%d", *seed),
			fmt.Sprintf("-crashfs.seed=%d", *seed), fmt.Sprintf("-rapid.seed=%d", *seed)),
		test(name, "./fuzz/disk", fmt.Sprintf("-disk.time=%v", *length), fmt.Sprintf("-disk.seed=%d", *seed)),
	)
	rows, readErr := read(name)
	return rows, errors.Join(err, readErr)
}

func test(rows, pkg string, args ...string) error {
	cmd := exec.Command("go", append([]string{"test", "-count=1", "-timeout=0", pkg}, args...)...)
	cmd.Env = append(os.Environ(), evidence.File+"="+rows)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return nil
}

func read(name string) (rows []evidence.Row, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r evidence.Row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, lines.Err()
}

// show prints a row for each kind, then one for each deliberate fault of a kind.
func show(w io.Writer, rows []evidence.Row) error {
	var b strings.Builder
	b.WriteString("| kind of test | tried | acknowledged transactions checked | violations | seed | time |\n|---|---|---|---|---|---|\n")
	sound, wrong := grouped(rows)
	for _, r := range sound {
		drawn := "none drawn"
		if r.Seed != 0 {
			drawn = fmt.Sprint(r.Seed)
		}
		fmt.Fprintf(&b, "| %s | %d %s | %d | %d | %s | %v |\n", r.Kind, r.Tried, r.Unit, r.Checked, r.Violations, drawn, r.Time.Round(100*time.Millisecond))
	}
	b.WriteString("\n| deliberate fault | test | tried until caught | violations | the first | time |\n|---|---|---|---|---|---|\n")
	for _, r := range wrong {
		fmt.Fprintf(&b, "| %s | %s | %d %s | %d | %s | %v |\n", r.Wrong, r.Kind, r.Tried, r.Unit, r.Violations, cell(r.First), r.Time.Round(100*time.Millisecond))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell keeps a text to one short cell of a table.
func cell(text string) string {
	const limit = 110
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "|", "/")), " ")
	if short := []rune(text); len(short) > limit {
		text = string(short[:limit]) + "…"
	}
	return text
}

// grouped adds up the rows of one kind and fault, in the order of the first of each.
func grouped(rows []evidence.Row) (sound, wrong []*evidence.Row) {
	seen := map[[2]string]*evidence.Row{}
	for _, r := range rows {
		key := [2]string{r.Kind, r.Wrong}
		sum := seen[key]
		switch {
		case sum == nil:
			sum = &r
			seen[key] = sum
			if r.Wrong == "" {
				sound = append(sound, sum)
			} else {
				wrong = append(wrong, sum)
			}
			continue
		case sum.First == "":
			sum.First = r.First
		}
		sum.Tried += r.Tried
		sum.Checked += r.Checked
		sum.Violations += r.Violations
		sum.Time += r.Time
		sum.Seed = max(sum.Seed, r.Seed)
	}
	return sound, wrong
}
