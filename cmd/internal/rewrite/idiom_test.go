package rewrite

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// idioms are unsafe writes, each with what must become of it. want is a part of
// the rewritten script; gone is what must not be in it.
var idioms = []struct{ name, script, want, gone string }{
	{"and", `jq '.count += 1' f.json > f.tmp && mv f.tmp f.json`, `jtx update -q f.json '.count += 1'`, "mv"},
	{"and, pid", `jq '.count += 1' f.json > f.json.$$ && mv -f f.json.$$ f.json`, `jtx update -q f.json`, "mv"},
	{"order of members matters", `jq '.list = (.zeta | to_entries)' f.json > t && mv t f.json`, `jtx pipe -q f.json -- jq '.list`, "mv"},
	{"sorted", `jq -S . f.json > t && mv t f.json`, `jtx pipe -q f.json -- jq -S . f.json`, "mv"},
	{"input redirected", `jq '.count = 5' < f.json > t && mv t f.json`, `jtx update -q f.json '.count = 5'`, "mv"},
	{"cat first", `cat f.json | jq '.count = 5' > t && mv t f.json`, `jtx update -q f.json '.count = 5'`, "mv"},
	{"two filters", `jq '.count = 5' f.json | jq 'del(.name)' > t && mv t f.json`, `jtx update -q f.json '.count = 5 | del(.name)'`, "mv"},
	{"arguments", "n='a \"b\"'\njq --arg n \"$n\" --argjson c 7 '.name = $n | .count = $c' f.json > t && mv t f.json",
		`jtx update -q f.json '.name = $n | .count = $c' --arg n "$n" --argjson c 7`, "mv"},
	{"variable in the filter", "n=7\njq \".count = $n\" f.json > t && mv t f.json", `jtx update -q f.json ".count = $n"`, "mv"},
	{"quoted file", "f='f.json'\njq '.count = 7' \"$f\" > \"$f.new\" && mv -- \"$f.new\" \"$f\"", `jtx update -q "$f" '.count = 7'`, "mv"},
	{"mktemp", "tmp=$(mktemp)\njq '.count = 7' f.json > \"$tmp\" && mv \"$tmp\" f.json", `jtx update -q f.json '.count = 7'`, "mktemp"},
	{"mktemp, list", "tmp=$(mktemp) && jq '.count = 7' f.json > \"$tmp\" && mv \"$tmp\" f.json", `jtx update -q f.json '.count = 7'`, "mktemp"},
	{"mktemp, exit", "tmp=`mktemp` || exit 1\njq '.count = 7' f.json > $tmp && mv $tmp f.json || exit 3\necho ok", `|| exit 3`, "mktemp"},
	{"mktemp, trap", "tmp=$(mktemp)\ntrap 'rm -f \"$tmp\"' EXIT\njq '.count = 7' f.json > \"$tmp\"\nmv \"$tmp\" f.json\necho done", `jtx update -q f.json`, "trap"},
	{"trap with more", "tmp=$(mktemp)\ntrap 'rm -f \"$tmp\"; echo bye' EXIT\njq '.count = 7' f.json > \"$tmp\" && mv \"$tmp\" f.json", `jtx update -q f.json '.count = 7' --jq-exit && rm -f "$tmp"`, "mv"},
	{"newline", "jq '.count = 7' f.json > t\nmv t f.json", `jtx update -q f.json '.count = 7'`, "mv"},
	{"semicolon", `jq '.count = 7' f.json > t; mv t f.json; echo done`, `jtx update -q f.json '.count = 7'; echo done`, "mv"},
	{"set -e", "set -e\njq '.count = 7' f.json > t\nmv t f.json\necho done", `jtx update -q f.json '.count = 7'`, "mv"},
	{"set -e and list", "set -e\njq '.count = 7' f.json > t && mv t f.json\necho after", `jtx update -q f.json '.count = 7' && :`, "mv"},
	{"set -e, followed", "set -eu\njq '.count = 7' f.json > t && mv t f.json && echo moved\necho after", `jtx update -q f.json '.count = 7' && echo moved`, "mv"},
	{"or", "jq '.count = 7' f.json > t && mv t f.json || echo failed", `jtx update -q f.json '.count = 7' || echo failed`, "mv"},
	{"or, cleanup", "jq '.count = 7' f.json > t && mv t f.json || { rm -f t; exit 4; }\necho fine", `|| { rm -f t; exit 4; }`, "mv"},
	{"or exit, then move", "jq '.count = 7' f.json > t || exit 4\nmv t f.json\necho fine", `jtx update -q f.json '.count = 7' || exit 4`, "mv"},
	{"or exit, removing", "jq '.count = 7' f.json > t || { echo bad; rm t; exit 4; }\nmv t f.json && echo moved", `rm -f t`, "mv"},
	{"if", "if jq '.count = 7' f.json > t; then\n  mv t f.json\n  echo ok\nelse\n  rm -f t\n  echo bad\nfi", `if jtx update -q f.json '.count = 7'; then`, "mv"},
	{"if, body only the move", "if jq '.count = 7' f.json > t; then mv t f.json; fi\necho ok", `then :; fi`, "mv"},
	{"if not", "if ! jq '.count = 7' f.json > t; then\n  echo bad\n  exit 1\nfi\nmv t f.json", `if ! jtx update -q f.json '.count = 7'; then`, "mv"},
	{"if list", "if jq '.count = 7' f.json > t && mv t f.json; then echo ok; else echo bad; fi", `if jtx update -q f.json '.count = 7'; then`, "mv"},
	{"checked", "jq '.count = 7' f.json > t && [ -s t ] && jq empty t && mv t f.json", `jtx update -q f.json '.count = 7'`, "mv"},
	{"checked in if", "if jq '.count = 7' f.json > t && [ -s t ]; then mv t f.json; echo ok; fi", `if jtx update -q f.json '.count = 7'; then`, "mv"},
	{"status", "jq '.count = 7' f.json > t\nif [ $? -eq 0 ]; then\n  mv t f.json\n  echo ok\nelse\n  rm t\n  echo bad\nfi", "jtx update -q f.json '.count = 7'\nif [ $? -eq 0 ]; then", "mv"},
	{"status not", "jq '.count = 7' f.json > t\nif [ $? -ne 0 ]; then\n  exit 6\nfi\nmv t f.json", "jtx update -q f.json '.count = 7'\nif [ $? -ne 0 ]; then", "mv"},
	{"size", "jq '.count = 7' f.json > t\nif [ -s t ]; then\n  mv t f.json\n  echo ok\nelse\n  echo empty\nfi", "if jtx update -q f.json '.count = 7'; then", "mv"},
	{"function", "up() {\n  local tmp\n  tmp=$(mktemp)\n  jq --arg v \"$2\" '.version = $v' \"$1\" > \"$tmp\" && mv \"$tmp\" \"$1\"\n}\nup f.json 2.0.0", `jtx update -q "$1" '.version = $v' --arg v "$2"`, "mktemp"},
	{"function, local with value", "up() {\n  local tmp=$(mktemp)\n  jq '.version = \"3\"' \"$1\" > \"$tmp\" && mv \"$tmp\" \"$1\"\n}\nup f.json && up other.json", `jtx update -q "$1"`, "mktemp"},
	{"cat back", "jq '.count = 7' f.json > t && cat t > f.json && rm t", `jtx update -q f.json '.count = 7'`, "rm"},
	{"cp back", "jq '.count = 7' f.json > t && cp t f.json\nrm -f t", `jtx update -q f.json '.count = 7'`, "cp"},
	{"chmod", "jq '.count = 7' f.json > t && chmod 600 t && mv t f.json", `jtx update -q f.json '.count = 7' --jq-exit && chmod 600 f.json`, "mv"},
	{"stderr", "jq '.count = 7' f.json > t 2>/dev/null && mv t f.json", `jtx update -q f.json '.count = 7' --jq-exit 2>/dev/null`, "mv"},
	{"sponge", `jq '.count = 7' f.json | sponge f.json`, `jtx update -q f.json '.count = 7'`, "sponge"},
	{"sponge, cat", `cat f.json | jq '.count = 7' | sponge f.json`, `jtx update -q f.json '.count = 7'`, "sponge"},
	{"tee", `jq '.count = 7' f.json | sponge | tee f.json >/dev/null`, ``, ""},
	{"yq", `yq -i '.count = 7' f.json`, `jtx pipe -q f.json -- yq -p json -o json '.count = 7'`, " -i"},
	{"sed", `sed -i 's/demo/prod/' f.json`, `jtx pipe -q f.json -- sed 's/demo/prod/'`, "-i"},
	{"sed to a temporary file", `sed 's/demo/prod/' f.json > t && mv t f.json`, `jtx pipe -q f.json -- sed 's/demo/prod/' f.json`, "mv"},
	{"echo", `echo '{"a": 1}' > f.json`, `echo '{"a": 1}' | jtx put -q f.json`, ">"},
	{"echo, guarded", `[ -f new.json ] || echo '{}' > new.json`, `[ -f new.json ] || echo '{}' | jtx put -q --if-missing new.json`, ">"},
	{"here-document, guarded", "if [ ! -e new.json ]; then\n  cat > new.json <<EOF\n{}\nEOF\nfi", "jtx put -q --if-missing new.json <<EOF", "cat"},
	{"echo, unquoted", "v=5\necho \"{\\\"v\\\": $v}\" > f.json", `| jtx put -q f.json`, ">"},
	{"printf", "printf '{\"v\": \"%s\"}\\n' x > f.json", `| jtx put -q f.json`, ">"},
	{"here-document", "v=5\ncat > f.json <<EOF\n{\"v\": $v}\nEOF\necho done", "jtx put -q f.json <<EOF\n", "cat"},
	{"here-document first", "cat <<'EOF' > f.json\n{\"v\": 1}\nEOF", "jtx put -q f.json <<'EOF'\n", "cat"},
	{"jq -n", `jq -n --arg a b '{a: $a}' > f.json`, `jtx pipe -q f.json -- jq -n --arg a b '{a: $a}'`, " >"},
	{"jq -n to a temporary file", `jq -n '{a: 1}' > t && mv t f.json`, `jtx pipe -q f.json -- jq -n '{a: 1}'`, "mv"},
	{"merge of two", `jq -s '.[0] * .[1]' f.json other.json > t && mv t f.json`, `jtx pipe -q f.json -- jq -s '.[0] * .[1]' f.json other.json`, "mv"},
	{"slurpfile", `jq --slurpfile o other.json '.o = $o[0]' f.json > t && mv t f.json`, `jtx update -q f.json '.o = $o[0]' --slurpfile o other.json`, "mv"},
	{"curl", `curl -fsS http://x/y > t && mv t f.json`, `jtx pipe -nq f.json -- curl -fsS http://x/y`, "mv"},
	{"curl fails", `curl -fsS http://x/fail > t && mv t f.json || echo no`, `jtx pipe -nq f.json -- curl`, "mv"},
	{"curl, jq", `curl -s http://x/y | jq '.n = 1' > f.json`, `curl -s http://x/y | jtx pipe -nq f.json -- jq '.n = 1'`, ">"},
	{"curl -o", "rm -f t\njq '.' other.json | tee t >/dev/null\nmv t f.json", `jtx put -q f.json t && rm -f t`, "mv"},
	{"echo of jq", `echo "$(jq '.count = 7' f.json)" > f.json`, `jtx update -q f.json '.count = 7'`, "echo"},
	{"printf of jq", `printf '%s\n' "$(jq '.count = 7' f.json)" > f.json`, `jtx update -q f.json '.count = 7'`, "printf"},
	{"variable", "new=$(jq '.count = 7' f.json)\necho \"$new\" > f.json", `jtx update -q f.json '.count = 7'`, "echo"},
	{"variable, list", "new=$(jq '.count = 7' f.json) && echo \"$new\" > f.json", `jtx update -q f.json '.count = 7'`, "echo"},
	{"flock", "(\n  flock 9\n  jq '.count = 7' f.json > t && mv t f.json\n) 9> f.lock", `jtx update -q f.json '.count = 7'`, "mv"},
	{"flock -c", `flock f.lock -c 'jq .count=7 f.json > t && mv t f.json'`, `flock f.lock -c 'jtx update -q f.json .count=7 --jq-exit'`, "mv"},
	{"loop", "for n in 1 2 3; do\n  jq --argjson n $n '.list += [$n]' f.json > t && mv t f.json\ndone", `jtx update -q f.json '.list += [$n]' --argjson n $n`, "mv"},
	{"loop reading", "printf 'a\\nb\\n' | while read -r k; do\n  jq --arg k \"$k\" '.[$k] = 1' f.json > t && mv t f.json\ndone", `jtx update -q f.json '.[$k] = 1' --arg k "$k"`, "mv"},
	{"case", "case x in\nx) jq '.count = 7' f.json > t && mv t f.json ;;\n*) echo no ;;\nesac", `x) jtx update -q f.json '.count = 7' --jq-exit ;;`, "mv"},
	{"environment of jq", `V=9 jq '.v = $ENV.V' f.json > t && mv t f.json`, `V=9 jtx update -q f.json '.v = $ENV.V'`, "mv"},
	{"negated", "if ! { jq '.count = 7' f.json > t && mv t f.json; }; then echo bad; fi", `jtx update -q f.json '.count = 7'`, "mv"},
	{"continued line", "jq '.count = 7' f.json \\\n  > t \\\n  && mv t f.json", `jtx update -q f.json '.count = 7'`, "mv"},
	{"group", "{\n  echo '{'\n  echo '\"a\": 1'\n  echo '}'\n} > f.json", `} | jtx put -q f.json`, ">"},
	{"sed with two scripts", `sed -i -E -e 's/demo/prod/' -e 's/1/2/' f.json`, `jtx pipe -q f.json -- sed -E -e 's/demo/prod/' -e 's/1/2/'`, "-i"},
	{"fed by another file", "save() { data=$(cat); printf '%s\\n' \"$data\" > f.json; }\njq .a=1 other.json | save", `| jtx put -q f.json`, "> f.json"},
	{"find", `find . -name 'f.json' -exec sh -c 'jq .count=7 "$1" > "$1.t" && mv "$1.t" "$1"' _ {} \;`, `-exec sh -c 'jtx update -q "$1" .count=7 --jq-exit' _ {} \;`, "mv"},
	{"xargs", `echo f.json | xargs -I{} sh -c 'jq .count=7 {} > {}.t && mv {}.t {}'`, `xargs -I{} sh -c 'jtx update -q {} .count=7 --jq-exit'`, "mv"},
	{"a pattern of others", `jq -s add other*.json > sum.json`, `jtx pipe -q sum.json -- jq -s add other*.json`, ">"},
	{"own input beside an operand", `printf '{"v": 5}' | while read -r line; do echo "$line" | cat other.json - | jq -s 'add' > sum.json; done`, `jtx pipe -nq sum.json`, "> sum"},
	{"a program that reads its input", `f() { cat other.json - > all.txt; jq -s add all.txt > sum.json; }; echo '{"z": 1}' | f`, `jtx pipe -q sum.json -- jq -s add all.txt`, "> sum"},
	{"an operand and the caller's input", `f() { sed -n p other.json > sum.json; cat; }; echo rest | f`, `jtx pipe -nq sum.json -- sed -n p other.json`, "> sum"},
	{"exit status of jq -e", `jq -e '.nope' f.json > t && mv t f.json || echo no`, `jtx pipe -q f.json -- jq -e '.nope' f.json || echo no`, "mv"},
}

func TestIdioms(t *testing.T) {
	for _, c := range idioms {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res, err := Script(c.script)
			require.NoError(t, err)
			if c.want == "" {
				for _, f := range res.Findings {
					require.Equal(t, Left, f.Verdict, f)
				}
				require.Equal(t, c.script, res.Text)
				return
			}
			require.NotEmpty(t, res.Findings)
			for _, f := range res.Findings {
				require.Equal(t, Done, f.Verdict, f)
			}
			require.Contains(t, res.Text, c.want)
			if c.gone != "" {
				require.NotContains(t, strings.ReplaceAll(res.Text, "/dev/null", ""), c.gone)
			}
			compare(t, c.script+"\n", res.Text+"\n")
			again, err := Script(res.Text)
			require.NoError(t, err)
			require.Empty(t, again.Findings, "what is reported as done is found again")
		})
	}
}
