package main

import (
	"fmt"
	"strings"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// noticeText says what became of a file, without its name.
func noticeText(file string, n recovery.Notice) string {
	at := cli.TimeText(n.Time)
	switch n.What {
	case recovery.NoticeAside:
		return fmt.Sprintf("what stood there was set aside %s, in %s", at, cli.QuoteWord(cli.Shown(n.Kept)))
	case recovery.NoticeJournal:
		return fmt.Sprintf("its damaged journal was set aside %s, in %s", at, cli.QuoteWord(cli.Shown(n.Kept)))
	case recovery.NoticeClash:
		name := cli.Shown(file)
		edit, stands := cli.QuoteWord(fmt.Sprintf("%s@%d", name, n.Rev-1)), cli.QuoteWord(fmt.Sprintf("%s@%d", name, n.Rev))
		return fmt.Sprintf("an edit clashed with a commit %s: it is %s, what was committed stands again as %s (jtx diff %s %s)", at, edit, stands, stands, edit)
	case recovery.NoticeDecision:
		who := "somebody"
		if n.Actor != "" {
			who = cli.Printable(n.Actor)
		}
		return fmt.Sprintf("transaction %s was in doubt; %s decided that it is %s, %s", cli.Printable(n.Unit), who, cli.Printable(n.Outcome), at)
	}
	return fmt.Sprintf("%s, %s", cli.Printable(string(n.What)), at)
}

type noticeJSON struct {
	What recovery.NoticeKind `json:"what"`
	Time string              `json:"time"`
	Kept *cli.JSONFile       `json:"kept,omitempty"`
	Rev  uint64              `json:"rev,omitempty"`
	Edit uint64              `json:"edit,omitempty"` // the revision that an edit is as it was found

	Transaction string `json:"tx,omitempty"`
	Outcome     string `json:"outcome,omitempty"`
	Actor       string `json:"actor,omitempty"`
}

func newNoticesJSON(list []recovery.Notice) (all []noticeJSON) {
	for _, n := range list {
		j := noticeJSON{What: n.What, Time: cli.TimeText(n.Time), Rev: n.Rev, Transaction: n.Unit, Outcome: n.Outcome, Actor: n.Actor}
		if n.Kept != "" {
			j.Kept = cli.NewJSONFile(cli.Shown(n.Kept))
		}
		if n.What == recovery.NoticeClash {
			j.Edit = n.Rev - 1
		}
		all = append(all, j)
	}
	return all
}

// seenJSON is a file, and what was told of it.
type seenJSON struct {
	*cli.JSONFile
	Notices []noticeJSON `json:"notices"`
}

// runSeen takes note that somebody has read what became of files.
func (r *recoverCommand) runSeen(s *txn.Store, paths []string) error {
	if r.dryRun || r.setAside {
		return cli.Usagef("--seen goes with neither --dry-run nor --set-aside").WithHint("jtx status shows what nobody has read yet")
	}
	list, err := admin.Seen(r.a.Ctx, s, paths)
	seen := []seenJSON{}
	var b strings.Builder
	for _, f := range list {
		seen = append(seen, seenJSON{cli.NewJSONFile(cli.Shown(f.File)), newNoticesJSON(f.Notices)})
		for _, n := range f.Notices {
			fmt.Fprintf(&b, "%s: %s\n", cli.QuoteWord(cli.Shown(f.File)), noticeText(f.File, n))
		}
	}
	if r.a.JSON {
		return cli.Several(r.a.WriteJSON(map[string][]seenJSON{"seen": seen}), err)
	}
	if len(list) == 0 && err == nil {
		r.a.Note("there is nothing that nobody has read")
	}
	return cli.Several(r.a.Write([]byte(b.String())), err)
}
