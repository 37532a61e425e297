package ordered

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runs evaluates a program, and joins what it prints by line ends.
func runs(t testing.TB, program, doc string) (string, error) {
	t.Helper()
	q, err := gojq.Parse(program)
	if err != nil {
		return "", err
	}
	p, err := New(q, nil, os.Environ)
	if err != nil {
		return "", err
	}
	v, err := Document([]byte(doc))
	require.NoError(t, err)
	var lines []string
	err = p.Run(context.Background(), v, func(v *Value) error {
		text, err := v.json()
		lines = append(lines, text)
		return err
	})
	return strings.Join(lines, "\n"), err
}

const sample = `{"zeta":1,"base":{"url":"x/y","name":"caf\u00e9","ports":[80,443]},"list":[{"id":2,"v":"b"},{"id":1,"v":"a"},{"id":3}],"n":null,"s":"a-b-c","deep":[[1,[2]],[3]]}`

// What these print was compared with jq 1.6 by TestAgainstJQ, which does so again
// where jq is installed.
var programs = []string{
	`.`, `.base`, `.base.ports[0]`, `.list[].id`, `.list[1:]`, `.list[-1]`, `.s[2:3]`, `.base["url"]`, `."base"`, `.a?`, `.zeta.x?`, `[.[]]`, `[..]|length`,
	`keys_unsorted`, `keys`, `to_entries`, `with_entries(.key |= ascii_upcase)`, `map_values(1)`, `.base|map(1)`, `[.[]|type]`, `[paths]`, `[paths(type=="number")]`, `[leaf_paths]`,
	`. + {zeta:2, alpha:3}`, `{zz:1} + .`, `. * {base:{new:1,url:2}}`, `.list|sort_by(.id)`, `.list|group_by(.v)`, `.list|unique_by(.v)`, `.list|min_by(.id)`, `.list|max_by(.id)`, `.list|map(select(.id>1))`,
	`del(.base.url)`, `del(.list[0,2])`, `del(.list[]|select(.id==1))`, `del(.zeta,.n)`, `delpaths([["zeta"],["list",1]])`, `to_entries|from_entries`, `.base|join(",")?`, `.base.ports|add`, `.list|add`, `[.list[]|.v]|join("-")`,
	`reduce .list[] as $x ({}; .[$x.id|tostring] = $x.v)`, `foreach .base.ports[] as $p (0; .+$p; [.,$p])`, `[foreach .base.ports[] as $p (0; .+$p)]`, `[limit(2; .list[])]`, `first(.list[])`, `last(.list[])`, `[range(5)]`, `[range(0;10;3)]`, `[range(5;0;-2)]`,
	`.zeta += 1`, `.list[].id |= .+10`, `.list |= map(.id)`, `.list[0].id = 9`, `.x.y.z = 1`, `.list[5] = 1`, `.base.ports[1:] = [1,2,3]`, `.n //= 5`, `.list[] |= empty`, `(.list[]|select(.id==2)).v = "c"`, `.base |= with_entries(.value |= tostring)`,
	`tojson`, `tostring`, `.base|tojson|fromjson`, `@json`, `@text "\(.base)"`, `@base64 "\(.s)"`, `.s|@uri`, `.base.ports|@csv`, `[.s|splits("-")]`, `.s|split("-")`, `.s|sub("-";"+")`, `.s|gsub("(?<x>[a-z])";"<\(.x)>")`, `.s|[match("[a-z]";"g").string]`, `.s|capture("(?<a>.)-(?<b>.)")`, `.s|test("b")`, `.s|ascii_upcase`, `.s|ltrimstr("a")`, `.s|[scan("[a-z]")]`, `.s|explode|implode`, `.s|length`, `.s|index("-")`, `.s|indices("-")`,
	`.deep|flatten`, `.deep|flatten(1)`, `[.deep[]|length]`, `.deep|reverse`, `.list|map(.id)|sort`, `.list|map(.id)|min,max`, `.list|map(.id)|index(1)`, `[[1,2],[3]]|transpose`, `[1,[2]]|contains([1])`, `.list|any(.id==1)`, `.list|all(.id>0)`, `[.list[]|has("v")]`, `.base|has("url")`, `"url"|in({"url":1})`,
	`if .zeta == 1 then "one" else "other" end`, `if .n then 1 elif .zeta then 2 else 3 end`, `.n // "d"`, `.zeta // "d"`, `(.n, .zeta) // 3`, `[.n, false] | map(. // 1)`, `try error("x") catch .`, `try error({a:1}) catch .a`, `[.list[]|try .v catch "none"]`, `.list as [$a,$b] | $a.id + $b.id`, `. as {zeta:$z, base:{url:$u}} | [$z,$u]`, `. as {$zeta} | $zeta`, `.list[] as {id:$i} | $i`, `label $out | foreach .list[] as $x (0; .+1; if . > 1 then ., break $out else . end)`,
	`def f(x): x * 2; f(.zeta)`, `def f($a; $b): $a + $b; f(1;2)`, `def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; 5|fac`, `[recurse(if . < 3 then .+1 else empty end)]? // 1`, `2|[recurse(if . < 30 then .*. else empty end)]`, `[1|while(.<20; .*2)]`, `1|until(.>50; .*3)`, `[limit(4; 1|repeat(.*2))]`, `isempty(empty)`, `[.list[]|.id] | combinations?`, `[[1,2],[3,4]]|[combinations]`, `[tostream]`, `fromstream(tostream)`, `[1|truncate_stream([[0],1],[[1,0],2],[[1,0]],[[1]])]`, `path(.base.url)`, `[path(..)]|length`, `getpath(["base","ports",1])`, `[paths(..)]|length`, `setpath(["base","new"];1)`, `walk(if type=="object" then del(.id) else . end)`, `walk(if type=="number" then .+1 else . end)`,
	`[.base[]]`, `.base|to_entries|map("\(.key)")`, `INDEX(.list[]; .id)`, `[.list[]|{id, w: .v}]`, `{a:(1,2), b:(3,4)}`, `{"x y":1, (.s):2}`, `{zeta, base}`, `. as $d | {$d}|keys`, `"a" as $k | {$k, "q\($k)":1}`, `[.[] | numbers, strings]`, `[.list[]|.id] - [2]`, `1e1000|type`, `-(.zeta)`, `[1,2,3] | .[1:] | .[0]`, `10 / 4, 7 % 3, 1 - 5, "ab" * 2, "a,b" / ","`, `[.list[].id]|[.[]|.%2==0]`, `1 == 1.0, "a" < "b", {} > [], null < false`, `[true,false|not]`, `true and (true,false)`, `false or false`, `ascii_downcase? // "x"`, `env|type`, `$ENV|type`, `splits("a")? // 0`, `.[] |= .`, `tojson|length`, `[skip(1; 1,2,3)]? // 0`, `"\u00e9"|utf8bytelength`, `[1,null,2]|map(values)`, `[3,1,2]|sort|.[0]`, `{} | .a += 1`, `{} | .a.b |= 3`, `null|.[2] = 1`, `[[1,2],[1]]|sort`, `{"b":1,"a":2}|tojson`, `[{"b":1,"a":2},{"a":1}]|sort`, `ltrimstr("x")|type`, `.list|map(del(.v))`, `.base|del(.[])`, `.list|length as $n|$n`, `[splits("x")?]`, `@sh "echo \(.s)"`, `@html "<\(.s)>"`, `[.s|ascii_downcase,ascii_upcase]`, `now|type`, `0|todate`, `"2015-03-05T23:51:47Z"|fromdate`, `(.list[0],.list[1])|=.id`, `to_entries[0]`, `[.base|keys[]]`, `.list|first,last`, `.list|nth(1)`, `nth(1; .list[])`,
}

// differs are those of which older versions of jq say something else.
var differs = []string{`.list[] |= empty`, `[skip(1; 1,2,3)]? // 0`}

func TestAgainstJQ(t *testing.T) {
	path, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("jq is not installed")
	}
	var tried, all []string
	for _, p := range programs {
		if slices.Contains(differs, p) {
			continue
		}
		p = "try [" + p + "] catch null"
		tried, all = append(tried, p), append(all, "("+p+")")
	}
	cmd := exec.Command(path, "-c", strings.Join(all, ","))
	cmd.Stdin = strings.NewReader(sample)
	want, err := cmd.Output()
	require.NoError(t, err)
	for i, line := range strings.Split(strings.TrimSpace(string(want)), "\n") {
		got, err := runs(t, tried[i], sample)
		assert.NoError(t, err, tried[i])
		assert.Equal(t, line, got, tried[i])
	}
}

// What a program takes over keeps its spelling and says where it is from.
func TestRevision(t *testing.T) {
	doc := "{\n  \"a\": [1.0, \"\\u00e9\"],\n  \"b\": 1e400\n}"
	for program, want := range map[string]string{
		`.c = .a`:                `{"a":[1.0, "\u00e9"],"b":1e400,"c":[1.0, "\u00e9"]}`,
		`.c = 1e999 | del(.a)`:   `{"b":1e400,"c":1e999}`,
		`{x: .b, a}`:             `{"x":1e400,"a":[1.0, "\u00e9"]}`,
		`.a[0] += 1`:             `{"a":[2,"\u00e9"],"b":1e400}`,
		`.a |= map([.])`:         `{"a":[[1.0],["\u00e9"]],"b":1e400}`,
		`.d = {port: 1, host:2}`: `{"a":[1.0, "\u00e9"],"b":1e400,"d":{"port":1,"host":2}}`,
	} {
		q, err := gojq.Parse(program)
		require.NoError(t, err)
		p, err := New(q, nil, os.Environ)
		require.NoError(t, err)
		v, err := Document([]byte(doc))
		require.NoError(t, err)
		require.NoError(t, p.Run(context.Background(), v, func(v *Value) error {
			r, err := v.Revision()
			assert.Equal(t, want, string(r.Text), program)
			for _, taken := range r.Taken {
				assert.Equal(t, string(taken.Raw), doc[taken.At:taken.At+len(taken.Raw)])
			}
			return err
		}))
	}
	q, err := gojq.Parse(`.b * 1`)
	require.NoError(t, err)
	p, err := New(q, nil, os.Environ)
	require.NoError(t, err)
	v, err := Document([]byte(doc))
	require.NoError(t, err)
	require.NoError(t, p.Run(context.Background(), v, func(v *Value) error {
		_, err := v.Revision()
		require.ErrorIs(t, err, errBeyond)
		return nil
	}))
}
