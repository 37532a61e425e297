package cli

import (
	"fmt"
	"strings"
)

// mend is a change of cobra's script for a shell.
type mend struct{ old, new string }

// The scripts of cobra evaluate the line as far as it is typed, with all that it
// would do. In bash and zsh a line that runs a command or opens a file is not
// looked into; fish has taken the quotes away, and they are put back.
var bashMends = []mend{
	{`    out=$(eval "${requestComp}" 2>/dev/null)`, `    [[ ${requestComp} == *['` + "`" + `(<>;&|']* ]] && return
    out=$(eval "${requestComp}" 2>/dev/null)`},
	// The package bash-completion is not everywhere; and readline splits FILE@REV.
	{`    if declare -F _init_completion >/dev/null 2>&1; then
        _init_completion -n =: || return
    else
        __jtx_init_completion -n =: || return
    fi
`, `    __jtx_init_completion
`},
	{`    _get_comp_words_by_ref "$@" cur prev words cword
`, `    # Parts that no space separates are one word, whatever COMP_WORDBREAKS is.
    local i part line=${COMP_LINE:0:COMP_POINT}
    words=() cword=-1
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
            line=${line#"${line%%[![:space:]]*}"}
            words[++cword]=
        fi
        [[ $line == "$part"* ]] || part=$line # the cursor is inside of it
        words[cword]+=$part
        line=${line#"$part"}
    done
    cur=${words[cword]}
`},
	{`# Macs have bash3 for which the bash-completion package doesn't include
# _init_completion. This is a minimal version of that function.
`, ``},
	{`    local cur prev words cword split
`, `    local cur words cword
`},
	{`    __jtx_handle_special_char "$cur" =
`, `    __jtx_handle_special_char "$cur" =
    # Of these, readline takes @ for the beginning of the word.
    [[ $cur == *@* && $COMP_WORDBREAKS == *@* ]] && COMPREPLY=("${COMPREPLY[@]#"${cur%@*}"}")
`},
}

var zshMends = []mend{
	{`    out=$(eval ${requestComp} 2>/dev/null)`, `    if [[ ${requestComp} == *[\` + "`" + `\(\<\>\;\&\|]* ]]; then
        _files
        return
    fi
    out=$(eval ${requestComp} 2>/dev/null)`},
}

var fishMends = []mend{
	{`    set -l requestComp "JTX_ACTIVE_HELP=0 $args[1] __complete $args[2..-1] $lastArg"
`, `    set -l escaped
    for arg in $args[2..-1]
        set -a escaped (string escape -- (string replace -r '^~/' "$HOME/" -- $arg))
    end
    set -l requestComp "JTX_ACTIVE_HELP=0 $args[1] __complete $escaped $lastArg"
`},
}

// mended changes a script that was generated for a program; the mends are as for jtx.
// A newer cobra may need others.
func mended(program, script string, mends []mend) ([]byte, error) {
	variable := strings.ToUpper(strings.ReplaceAll(program, "-", "_"))
	own := strings.NewReplacer("__jtx_", "__"+program+"_", "JTX_ACTIVE", variable+"_ACTIVE")
	for _, m := range mends {
		m.old, m.new = own.Replace(m.old), own.Replace(m.new)
		if n := strings.Count(script, m.old); n != 1 {
			return nil, fmt.Errorf("the script for completion has %d times: %s", n, m.old)
		}
		script = strings.Replace(script, m.old, m.new, 1)
	}
	return []byte(script), nil
}
