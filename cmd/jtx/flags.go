package main

import (
	"cmp"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// Flags that several verbs share are declared here and nowhere else.

// lockFlags are of the verbs that lock.
type lockFlags struct {
	timeout time.Duration
	set     *pflag.FlagSet
}

func (l *lockFlags) register(fs *pflag.FlagSet) {
	fs.DurationVar(&l.timeout, "lock-timeout", txn.DefaultLockTimeout, "how long to wait for locks (default $JTX_LOCK_TIMEOUT, else 30s); 0: don't wait")
	fs.Lookup("lock-timeout").DefValue = "0s" // shown in words
	l.set = fs
}

// lockTimeoutVar names the default of --lock-timeout, durabilityVar that of
// --durability.
const (
	lockTimeoutVar = "JTX_LOCK_TIMEOUT"
	durabilityVar  = "JTX_DURABILITY"
)

func (l *lockFlags) options() (txn.Options, error) {
	if text := os.Getenv(lockTimeoutVar); text != "" && l.set != nil && !l.set.Changed("lock-timeout") {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return txn.Options{}, cli.Usagef("$%s is %s: want a time such as 5s, or 0 not to wait", lockTimeoutVar, cli.QuoteWord(text))
		}
		l.timeout = d
	}
	switch {
	case l.timeout < 0:
		return txn.Options{}, cli.Usagef("--lock-timeout %s: a time can't be negative", l.timeout)
	case l.timeout == 0:
		return txn.Options{LockTimeout: -1}, nil
	}
	return txn.Options{LockTimeout: l.timeout}, nil
}

// txFlags are of the verbs that act inside an open transaction where one is named.
type txFlags struct {
	tx  string
	set *pflag.FlagSet
}

func (t *txFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&t.tx, "tx", "", "act inside the open transaction `TX` (default $JTX_TX)")
	t.set = fs
}

// id is the open transaction to act in, empty for none. --tx "" leaves the one
// of $JTX_TX.
func (t *txFlags) id() string {
	if t.set.Changed("tx") {
		return t.tx
	}
	return os.Getenv("JTX_TX")
}

// refuse ends a verb that can't act inside a transaction, where one is named.
func (t *txFlags) refuse(verb, instead string) error {
	id := t.id()
	if id == "" {
		return nil
	}
	return cli.Usagef("%s can't act inside open transaction %s", verb, id).
		WithHint("%s; --tx '' leaves the transaction, and changes the files at once", instead)
}

// readFlags are of the verbs that read files.
type readFlags struct {
	lockFlags
	txFlags
}

func (r *readFlags) register(fs *pflag.FlagSet) {
	r.lockFlags.register(fs)
	r.txFlags.register(fs)
}

// commitFlags are of the verbs that commit.
type commitFlags struct {
	lockFlags
	durability, message, actor string
	dryRun, inPlace, parents   bool
	ifRev                      []string
}

func (c *commitFlags) register(fs *pflag.FlagSet) {
	c.lockFlags.register(fs)
	fs.StringVar(&c.durability, "durability", "", "what a commit survives, a `LEVEL`: full, journal or none (default $JTX_DURABILITY, else full)")
	fs.StringVarP(&c.message, "message", "m", "", "recorded with the transaction")
	fs.StringVar(&c.actor, "actor", "", "the `NAME` that is recorded as who did it (default $JTX_ACTOR, else the user)")
	fs.BoolVar(&c.dryRun, "dry-run", false, "print the patch, change nothing")
	fs.StringArrayVar(&c.ifRev, "if-rev", nil, "only if `FILE@REV` is the current revision; for REV also the id of the transaction that made it; repeatable")
	fs.BoolVar(&c.inPlace, "in-place", false, "overwrite the file instead of renaming over it")
}

// expectations are the versions that --if-rev asks for, by file.
func (c *commitFlags) expectations() (map[string]txn.Expected, error) {
	want := map[string]txn.Expected{}
	for _, word := range c.ifRev {
		file, version, _ := splitVersion(word)
		expected, err := txn.ParseExpected(version)
		if err != nil || file == "" {
			return nil, cli.Usagef("--if-rev %s: want FILE@REV, where REV is a number or a transaction's id", cli.QuoteWord(word))
		}
		want[file] = expected
	}
	return want, nil
}

// registerParents is for the verbs that make files.
func (c *commitFlags) registerParents(fs *pflag.FlagSet) {
	fs.BoolVarP(&c.parents, "parents", "p", false, "make FILE's directory where it is missing")
}

func (c *commitFlags) level() (txn.Durability, error) {
	text, from := c.durability, "--durability"
	if text == "" {
		text, from = cmp.Or(os.Getenv(durabilityVar), "full"), "$"+durabilityVar
	}
	level, err := txn.ParseDurability(text)
	if err != nil {
		return 0, cli.Usagef("%s %s: want full, journal or none", from, cli.QuoteWord(text))
	}
	return level, nil
}

// options are what the flags mean to a transaction in s.
func (c *commitFlags) options(s *txn.Store) ([]txn.Option, error) {
	level, err := c.level()
	if err != nil {
		return nil, err
	}
	opts := []txn.Option{txn.WithDurability(level), txn.WithActor(c.actor)}
	if c.message != "" {
		opts = append(opts, txn.WithMessage(c.message))
	}
	if c.dryRun {
		opts = append(opts, txn.DryRun())
	}
	if c.parents {
		opts = append(opts, txn.WithParents())
	}
	if c.inPlace {
		opts = append(opts, txn.WithInPlace())
	}
	want, err := c.expectations()
	if err != nil {
		return nil, err
	}
	for file, expected := range want {
		opts = append(opts, s.IfAt(file, expected))
	}
	return opts, nil
}

// changeFlags are of the verbs that change files: each a transaction of its own,
// or a step of an open one.
type changeFlags struct {
	commitFlags
	txFlags
	asLines bool // --dry-run prints a line for each file

	appends bool // new members go last
	indent  string
}

func (c *changeFlags) register(fs *pflag.FlagSet) {
	c.commitFlags.register(fs)
	c.txFlags.register(fs)
}

// registerStyle adds the flags of verbs that write new values.
func (c *changeFlags) registerStyle(fs *pflag.FlagSet) {
	fs.BoolVar(&c.appends, "append", false, "put new members last also where the names are in order")
	fs.StringVar(&c.indent, "indent", "", "for a file that shows no indent: `N` spaces, tab or compact")
}

func (c *changeFlags) style() (jsonpatch.Style, error) {
	style, err := styleOf(c.indent)
	style.Append = c.appends
	return style, err
}
