package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func newMan(a *App) *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "write the manual pages",
		Long:    "Writes the manual pages into DIR, which is made: jtx.1, a jtx-VERB.1 for each verb and a jtx-TOPIC.1 for each topic of jtx help.",
		Example: Example(`jtx man man1`, `ls man1/jtx.1`),
		Args:    Words(1, 1),
		RunE: a.Verb(func(cmd *cobra.Command, args []string) error {
			pages := manPages(cmd.Root())
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			written := []*JSONFile{}
			for _, page := range pages {
				name := filepath.Join(args[0], page.name+".1")
				if err := os.WriteFile(name, []byte(page.text), 0o644); err != nil {
					return err
				}
				written = append(written, NewJSONFile(name))
			}
			if a.JSON {
				return a.WriteJSON(map[string][]*JSONFile{"files": written})
			}
			a.Note("%s written to %s", Plural(len(pages), "page"), QuoteWord(args[0]))
			return nil
		}),
	}
}

type namedPage struct{ name, text string }

// manPages are those of a program: its own, and of its verbs; of jtx the topics, too.
func manPages(root *cobra.Command) (pages []namedPage) {
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		// Another program knows the flags of its verbs, and has their pages.
		if !cmd.Hidden && !cmd.DisableFlagParsing && !isTwice(root, cmd) {
			pages = append(pages, namedPage{manName(root, cmd), manPage(root, cmd)})
		}
	}
	if root.Name() == Run {
		for _, name := range topicNames() {
			pages = append(pages, namedPage{Run + "-" + name, manTopic(name)})
		}
	}
	return pages
}

// isTwice tells whether a verb is one that jtx has as well, with the same page.
func isTwice(root, cmd *cobra.Command) bool {
	switch cmd.Name() {
	case "completion", "man", "version", "help":
		return root.Name() != Run
	}
	return false
}

func manName(root, cmd *cobra.Command) string {
	if cmd == root {
		return root.Name()
	}
	return Run + "-" + cmd.Name()
}

// manPage is the manual page of a verb, in the macros of man(7).
func manPage(root, cmd *cobra.Command) string {
	var b strings.Builder
	name := manName(root, cmd)
	manHead(&b, name, cmd.Short)
	fmt.Fprintf(&b, ".SH SYNOPSIS\n")
	for i, form := range strings.Split(cmd.UseLine(), " | ") {
		if i > 0 {
			form = cmd.CommandPath() + " " + form
			b.WriteString(".br\n")
		}
		fmt.Fprintf(&b, ".B %s\n", roff(form))
	}
	b.WriteString(".SH DESCRIPTION\n")
	if cmd == root {
		b.WriteString(manText(root.Long))
		manVerbs(&b, root)
	} else if cmd.Long != "" {
		b.WriteString(manText(cmd.Long))
	} else {
		b.WriteString(manText(strings.ToUpper(cmd.Short[:1]) + cmd.Short[1:] + "."))
	}
	manFlags(&b, "OPTIONS", flagsOf(cmd.LocalNonPersistentFlags()))
	manFlags(&b, "OPTIONS OF EVERY VERB", flagsOf(root.PersistentFlags()))
	manEnvironment(&b, root, cmd)
	fmt.Fprintf(&b, ".SH FILES\n%s", manText(aboutFiles))
	fmt.Fprintf(&b, ".SH EXIT STATUS\n%s", manText(exitCodes()))
	if cmd.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLE\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	manSeeAlso(&b, root, cmd)
	return b.String()
}

func manHead(b *strings.Builder, name, about string) {
	fmt.Fprintf(b, ".TH %s 1 \"\" \"jtx %s\" \"jtx\"\n", strings.ToUpper(name), roff(readVersion().Version))
	fmt.Fprintf(b, ".SH NAME\n%s \\- %s\n", roff(name), roff(about))
}

func manTopic(name string) string {
	var b strings.Builder
	manHead(&b, Run+"-"+name, topics()[name].about)
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s.SH SEE ALSO\n.BR jtx (1)", manText(topics()[name].text()))
	for _, other := range topicNames() {
		if other != name {
			fmt.Fprintf(&b, ",\n.BR %s (1)", roff(Run+"-"+other))
		}
	}
	b.WriteString("\n")
	return b.String()
}

func manVerbs(b *strings.Builder, root *cobra.Command) {
	for _, g := range root.Groups() {
		fmt.Fprintf(b, ".SS %s\n", roff(g.Title))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == g.ID && !cmd.Hidden {
				fmt.Fprintf(b, ".TP\n.BR jtx\\-%s (1)\n%s\n", roff(cmd.Name()), roff(cmd.Short))
			}
		}
	}
}

func manFlags(b *strings.Builder, title string, flags []flagHelp) {
	if len(flags) == 0 {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	for _, f := range flags {
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(f.words())), roff(f.usage))
	}
}

// manEnvironment tells of those variables that a verb heeds: those of its flags, and
// those of no flag.
func manEnvironment(b *strings.Builder, root, cmd *cobra.Command) {
	b.WriteString(".SH ENVIRONMENT\n")
	for _, v := range variables {
		if v.flag == "" && (v.name != "VISUAL" || cmd.Name() == "edit") || cmd == root || v.flag != "" && cmd.Flags().Lookup(v.flag) != nil {
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(v.name), roff(v.about))
		}
	}
}

// manSeeAlso names the verbs beside one, and the topics.
func manSeeAlso(b *strings.Builder, root, cmd *cobra.Command) {
	var names []string
	if cmd != root {
		names = append(names, Run)
		for _, other := range root.Commands() {
			if other != cmd && other.GroupID == cmd.GroupID && !other.Hidden {
				names = append(names, Run+"-"+other.Name())
			}
		}
	}
	for _, name := range topicNames() {
		names = append(names, Run+"-"+name)
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, name := range names {
		comma := ","
		if i == len(names)-1 {
			comma = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", roff(name), comma)
	}
}

// manText is prose; what is indented stays in lines.
func manText(text string) string {
	var b strings.Builder
	indented := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		empty := strings.TrimSpace(line) == ""
		switch {
		case !empty && line[0] == ' ' && !indented:
			b.WriteString(".nf\n")
			indented = true
		case (empty || line[0] != ' ') && indented:
			b.WriteString(".fi\n")
			indented = false
		}
		if empty {
			b.WriteString(".PP\n")
			continue
		}
		b.WriteString(roff(line) + "\n")
	}
	if indented {
		b.WriteString(".fi\n")
	}
	return b.String()
}

// roff escapes what the formatter gives a meaning to.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
