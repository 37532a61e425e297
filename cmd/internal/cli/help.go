package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// setHelp makes jtx help, and the form of every verb's help. The list of topics is made only
// where help is wanted.
func setHelp(a *App, p *Program, root *cobra.Command, wanted func(string) bool) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		// The only error is that nobody reads it, and cobra has no way for it.
		_ = p.showHelp(a, root, cmd)
	})
	help := &cobra.Command{
		Use:     "help [VERB|TOPIC]",
		Short:   "show the verbs, or one of them",
		Example: Example(`jtx help set`, `jtx help versions`, `jtx help exit-codes`),
		Args:    Words(0, 1),
		RunE: a.Verb(func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.showHelp(a, root, root)
			}
			if t, ok := topics()[args[0]]; ok {
				return a.showTopic(args[0], t)
			}
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 || about == root {
				return unknownTopic(root, args[0])
			}
			return p.showHelp(a, root, about)
		}),
		GroupID:               p.SetUp,
		Hidden:                p.SetUp == "",
		DisableFlagsInUseLine: true,
	}
	help.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words := topicWords()
		for _, cmd := range root.Commands() {
			if !cmd.Hidden {
				words = append(words, cmd.Name()+"\t"+cmd.Short)
			}
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	if wanted(help.Name()) {
		help.Long = "Shows the verbs, or one verb with its flags and an example.\n\nThere are topics, too:\n\n" +
			listOf(topicNames(), func(name string) string { return topics()[name].about })
	}
	root.SetHelpCommand(help)
	root.AddCommand(help)
}

// maxTextWidth is how wide lines of prose are at most, in columns: longer ones are hard
// to read.
const maxTextWidth = 100

// showText shows a text that depends on how wide lines may be.
func (a *App) showText(text func(room int) string) error {
	page := a.OpenPage()
	if a.Quiet {
		page.w = a.Stdout // help is no data
	}
	a.Signals.beforeWrite()
	_, err := page.Write([]byte(text(min(page.Width, maxTextWidth))))
	if closed := page.Close(); err == nil {
		err = closed
	}
	return err
}

func (p *Program) showHelp(a *App, root, cmd *cobra.Command) error {
	switch {
	case a.JSON && cmd == root:
		return a.emitJSON(p.overviewJSON(root))
	case a.JSON:
		return a.emitJSON(newVerbJSON(cmd))
	case cmd == root:
		return a.showText(func(room int) string { return p.overview(root, room) })
	}
	return a.showText(func(room int) string { return helpOf(root, cmd, room) })
}

func (a *App) emitJSON(v any) error { return a.Emit(EncodeJSON(v)) }

func helpOf(root, cmd *cobra.Command, room int) string {
	var b strings.Builder
	fillLine(&b, strings.Fields("Usage: "+cmd.UseLine()), "", "       ", room)
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	b.WriteString("\n" + Fill(text, room))
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExample:\n%s\n", cmd.Example)
	}
	if flags := flagsText(flagsOf(cmd.LocalNonPersistentFlags()), room); flags != "" {
		fmt.Fprintf(&b, "\nFlags:\n%s", flags)
	}
	fmt.Fprintf(&b, "\nFlags of every verb:\n%s", flagsText(flagsOf(root.PersistentFlags()), room))
	return b.String()
}

// overview is what jtx help shows.
func (p *Program) overview(root *cobra.Command, room int) string {
	var b strings.Builder
	b.WriteString(Fill(p.Intro, room))
	b.WriteString("\nUsage: jtx VERB ARGS\n")
	for _, g := range root.Groups() {
		b.WriteString("\n" + Fill(g.Title+":", room))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == g.ID && !cmd.Hidden {
				b.WriteString(VerbLine("  ", cmd, room))
			}
		}
	}
	b.WriteString("\n" + Fill("jtx help VERB shows a verb with an example, jtx help TOPIC one of: "+strings.Join(topicNames(), ", ")+".", room))
	return b.String()
}

// VerbLine is a verb in a list: its name, behind indent, its words, what it does.
func VerbLine(indent string, cmd *cobra.Command, room int) string {
	const nameWidth, wordsWidth = 10, 20
	head := fmt.Sprintf("%s%-*s ", indent, nameWidth, cmd.Name())
	if room >= usualWidth {
		head += fmt.Sprintf("%-*s ", wordsWidth, shortWords(cmd.Use, wordsWidth))
	}
	var b strings.Builder
	fillLine(&b, strings.Fields(cmd.Short), head, strings.Repeat(" ", len(head)), room)
	return b.String()
}

// shortWords are the words of a verb, the first of several forms; where they are too
// many, those that must be there.
func shortWords(use string, room int) string {
	_, words, _ := strings.Cut(use, " ")
	words, _, _ = strings.Cut(words, " | ")
	for len(words) > room {
		at := strings.LastIndex(words, " [")
		if at < 0 {
			return words[:room-len(ellipsis)] + ellipsis
		}
		words = words[:at] + " " + ellipsis
		if len(words) > room {
			words = words[:at]
		}
	}
	return words
}

// listOf is a list of names with what is said of each.
func listOf(names []string, about func(string) string) string {
	wide := 0
	for _, name := range names {
		wide = max(wide, len(name))
	}
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "  %-*s  %s\n", wide, name, about(name))
	}
	return strings.TrimRight(b.String(), "\n")
}

// VerbJSON is a verb as help tells of it.
type VerbJSON struct {
	Verb    string     `json:"verb"`
	Group   string     `json:"group,omitempty"`
	Usage   string     `json:"usage"`
	Short   string     `json:"short"`
	Long    string     `json:"long,omitempty"`
	Example string     `json:"example,omitempty"`
	Flags   []flagJSON `json:"flags,omitempty"`
}

func newVerbJSON(cmd *cobra.Command) VerbJSON {
	j := VerbJSON{Verb: cmd.Name(), Usage: cmd.UseLine(), Short: cmd.Short, Long: cmd.Long, Example: cmd.Example}
	for _, f := range append(flagsOf(cmd.LocalNonPersistentFlags()), flagsOf(cmd.Root().PersistentFlags())...) {
		j.Flags = append(j.Flags, f.json())
	}
	return j
}

// OverviewJSON is what help tells of all verbs.
type OverviewJSON struct {
	Verbs  []VerbJSON  `json:"verbs"`
	Topics []TopicJSON `json:"topics"`
}

func (p *Program) overviewJSON(root *cobra.Command) (o OverviewJSON) {
	for _, g := range root.Groups() {
		for _, cmd := range root.Commands() {
			if cmd.GroupID == g.ID && !cmd.Hidden {
				o.Verbs = append(o.Verbs, VerbJSON{Verb: cmd.Name(), Group: g.Title, Usage: cmd.UseLine(), Short: cmd.Short})
			}
		}
	}
	for _, name := range topicNames() {
		o.Topics = append(o.Topics, TopicJSON{Topic: name, Short: topics()[name].about})
	}
	return o
}
