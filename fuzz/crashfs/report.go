package crashfs

import (
	"flag"
	"fmt"
	"strings"
	"time"
)

// The flags repeat what a violation has printed.
var (
	flagSeed  = flag.Uint64("crashfs.seed", 0, "seed of the crash states; 0 draws one")
	flagEvent = flag.Int("crashfs.event", -1, "only crash after this event")
	flagModel = flag.String("crashfs.model", "", "only use this model")
	flagKeep  = flag.String("crashfs.keep", "", "existing directory in which the state of each violation is kept")
	flagDir   = flag.String("crashfs.dir", "", "directory for recorded and materialised trees")
)

// Stats is what an exploration has tried.
type Stats struct {
	Events     int // of the workload
	Points     int // successes that the workload was told of
	Tried      int // states made
	Distinct   int // states recovered and checked: equal ones are checked once
	Nested     int // of those, how many had their recovery cut in turn
	InTurn     int // of those, how many come from such a cut
	Checked    int // successes looked for, over all distinct states
	Violations int
	Seed       uint64
	Duration   time.Duration
}

func (s Stats) String() string {
	rate := float64(s.Distinct) / s.Duration.Seconds()
	return fmt.Sprintf("%d events, %d states tried, %d distinct (%.0f/s), %d recoveries cut, %d acknowledgements checked, %d violations, seed %d, %v",
		s.Events, s.Tried, s.Distinct, rate, s.Nested, s.Checked, s.Violations, s.Seed, s.Duration.Round(time.Millisecond))
}

// Violation is a state that recovery or the checker did not accept.
type Violation struct {
	Seed    uint64
	Crash   Crash
	Problem error
	State   string // what was lost, the tree, and the events that led to it
	Kept    string // where the state was written, if anywhere
}

// Report is the violation for people, with the command that repeats it.
func (v Violation) Report(test string) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "crash after event %v under model %s: %v\n", v.Crash.Path, v.Crash.Model.Name, v.Problem)
	fmt.Fprintf(&sb, "again: go test -run '^%s$' -crashfs.seed=%d -crashfs.event=%d", test, v.Seed, v.Crash.Path[0])
	if len(v.Crash.Path) == 1 {
		fmt.Fprintf(&sb, " -crashfs.model=%s", v.Crash.Model.Name)
	}
	sb.WriteString("\n")
	if v.Kept != "" {
		fmt.Fprintf(&sb, "state kept in %s\n", v.Kept)
	}
	sb.WriteString(v.State)
	return sb.String()
}

// reportOf says how a state came to be.
func reportOf(s *state, c Crash, out *outer) string {
	var sb strings.Builder
	if out != nil {
		sb.WriteString(out.report)
		sb.WriteString("then recovery was cut:\n")
	}
	fmt.Fprintf(&sb, "acknowledged: %q\n", c.Points)
	sb.WriteString("events:\n")
	const tail = 40
	from := max(0, s.h.next-tail)
	for i := from; i < s.h.next; i++ {
		fmt.Fprintf(&sb, "  %4d %v\n", i, s.h.log.Events[i])
	}
	sb.WriteString("not whole on the disk:\n")
	for _, line := range s.lost {
		fmt.Fprintf(&sb, "  %s\n", line)
	}
	sb.WriteString("the disk:\n")
	sb.WriteString(s.describe())
	return sb.String()
}
