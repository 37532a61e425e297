package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// left are unsafe writes that must stay, and be listed.
var left = []struct{ name, script string }{
	{"somebody else", `sudo jq .a=1 f.json > t && sudo mv t f.json`},
	{"another file, perhaps", `jq .a=1 "$1" > t && mv t "$2"`},
	{"its own input", `jq .a=1 f.json > f.json`},
	{"its own input, with a backup", "cp f.json f.json.bak\njq .a=1 f.json > f.json"},
	{"moved whatever happens", `jq .a=1 f.json > t || true; mv t f.json`},
	{"read before", `jq --arg x "$(cat f.json)" '.x = $x' f.json > t && mv t f.json`},
	{"written back", "x=$(jq .n f.json)\necho \"{\\\"n\\\": $((x + 1))}\" > f.json"},
	{"read by read", "read -r old < <(jq .n f.json)\necho \"{\\\"n\\\": $old}\" > f.json"},
	{"looked at", `jq .a=1 f.json > t && mv t f.json; cat t`},
	{"several documents", `jq '.[]' f.json > t && mv t f.json`},
	{"emptied", `: > f.json`},
	{"a part", `echo '{' > f.json`},
	{"appended", `echo '{}' >> f.json`},
	{"a function", "build() { jq -n 1; }\nbuild > f.json"},
	{"a pattern", `sed -i s/a/b/ conf/*.json`},
	{"a variable that is set on the way", "echo \"{\\\"n\\\": ${n:=1}}\" > f.json"},
	{"python", `python3 -c 'import json; json.dump({}, open("f.json", "w"))'`},
	{"node", `node -e 'require("fs").writeFileSync("f.json", "{}")'`},
	{"raw lines", `jq -R . f.json > t && mv t f.json`},
	{"a pipeline that reads", `jq -c '.[]' f.json | sort | jq -s . > t && mv t f.json`},
	{"through tee to a temporary file", `cat f.json | jq '.n += 1' | tee f.json.new >/dev/null; mv f.json.new f.json`},
	{"in two steps", "jq '.a = 1' f.json > t\njq '.b = 2' t > t2\nmv t2 f.json"},
	{"in two steps, by variables", "F=f.json\ntmp=$F.tmp\njq '.a=1' \"$F\" > \"$tmp\"\njq '.b=2' \"$tmp\" > \"$tmp.2\"\nmv \"$tmp.2\" \"$F\""},
	{"from a copy", "cp f.json f.json.bak\njq .a=1 f.json.bak > f.json\nrm f.json.bak"},
	{"a pattern that names it", `jq -s add *.json > all.json`},
	{"a pattern in a pipeline", `cat *.json | jq -s add > all.json`},
	{"read through <()", `jq .a=1 <(cat f.json) > t && mv t f.json`},
	{"another through <()", `jq -s '.[0] * .[1]' f.json <(curl -s x) > t && mv t f.json`},
	{"several in a row", `cat a.json b.json > out.json`},
	{"several by sed", `sed -i -e 's/1/2/' -e 's/3/4/' f.json g.json`},
	{"sed of BSD", `sed -i '' 's/1/2/' f.json`},
	{"awk in place", `awk -i inplace '{print}' f.json`},
	{"a temporary file by a pattern", `jq .a=1 f.json > f.json.$$.x && mv f.json.$$.* f.json`},
	{"through a function", "save() { data=$(cat); printf '%s\\n' \"$data\" > f.json; }\njq .a=1 f.json | save"},
	{"through a function, named", "save() { cat > \"$1.json\"; }\njq .a=1 f.json | save f"},
	{"printed too", `jq -n '{a: 1}' | tee out.json`},
	{"several by tee", `echo '{}' | tee a.json b.json >/dev/null`},
	{"with messages", `echo '{}' > out.json 2>&1`},
	{"with all output", `jq -n 1 &> out.json`},
	{"curl with its letters in one", `curl -fsSLo conf.json https://x/y`},
	{"python's formatter onto itself", `python3 -m json.tool conf.json conf.json`},
	{"python's formatter, in one word", `python -mjson.tool < conf.json > "$OUT"`},
	{"npx json", `npx json -I -f package.json -e 'this.a = 1'`},
	{"from a container", `docker cp c:/x.json x.json`},
	{"an output option", `jsonnet -o conf.json x.jsonnet`},
	{"JSON that is asked for, to a variable", `kubectl get cm x -o json > "$OUT"`},
	{"JSON of its own, to a variable", `docker inspect x > "$OUT"`},
	{"a variable that is read as JSON elsewhere", "mytool dump > \"$STATE\"\njq -r .a \"$STATE\""},
	{"echo to one", "echo \"$data\" > \"$STATE\"\njq -r .a < \"$STATE\""},
	{"a program that is not known", `mytool dump > state.json`},
	{"one that is given the file", `crudini --set f.json a b`},
	{"one in a variable", `"$TOOL" f.json`},
	{"an editor", `vim -es f.json -c wq`},
	{"sponge by itself", `sponge f.json < t`},
	{"touch", `touch f.json`},
	{"git", `git checkout -- f.json`},
	{"from a bucket", `aws s3 cp s3://x/f.json f.json`},
	{"by an export", `mongoexport --out f.json`},
	{"ruby in place", `ruby -i -pe 'x' f.json`},
	{"perl that opens", `perl -e 'open F, ">f.json"'`},
	{"awk that prints to it", `awk '{print > "f.json"}' x`},
	{"a script of another language", `python3 tool.py f.json`},
	{"packages", `npm install lodash`},
	{"composer", `composer require a/b`},
	{"set -C, where the number counts", "set -C\necho '{}' > f.json"},
	{"cp of a backup", `cp f.json.bak f.json`},
	{"in the background of a variable", `v=$(cat f.json); echo "$v" > f.json; echo "$v"`},
}

func TestLeftAlone(t *testing.T) {
	for _, c := range left {
		t.Run(c.name, func(t *testing.T) {
			res, err := Script(c.script)
			require.NoError(t, err)
			require.Equal(t, c.script, res.Text)
			require.NotEmpty(t, res.Findings)
			for _, f := range res.Findings {
				require.Equal(t, Left, f.Verdict, f)
				require.NotEmpty(t, f.Reason)
			}
		})
	}
}

// What goes to another file as messages is no copy of the document.
func TestMessagesAreNoCopy(t *testing.T) {
	res, err := Script(`jq .a=1 f.json 1> t 2> err.log && mv t f.json`)
	require.NoError(t, err)
	require.Equal(t, `jtx update -q f.json .a=1 --jq-exit 2> err.log`, res.Text)
}

// TestNotFound runs over what is no unsafe write of JSON.
func TestNotFound(t *testing.T) {
	for _, text := range []string{
		`jq . f.json`, `jq -r .name f.json > name.txt`, `echo hi > log.txt`, `mv a b`, `cp f.json f.json.bak`,
		`grep -i x f.json`, `kubectl apply -f f.json`, `curl -d @f.json u`, `aws iam put --doc file://f.json`, `git add f.json`, `npm ci`,
		`python3 -c 'import json; print(json.load(open("f.json")))'`, `awk '$1 > 5 {print "x.json"}' f`, `T=$(mktemp); curl u > "$T"; jq .a "$T"`,
		`jtx set f.json /a 1`, `cat f.json | jq . | less`, `jq -r .x f.json > t && mv t x.txt`, "cat <<EOF\n{}\nEOF",
	} {
		res, err := Script(text)
		require.NoError(t, err)
		require.Empty(t, res.Findings, text)
		require.Equal(t, text, res.Text)
	}
	_, err := Script("if then (")
	require.ErrorIs(t, err, ErrSyntax)
}
