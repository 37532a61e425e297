package jsonpatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	evanphx "github.com/evanphx/json-patch/v5"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"github.com/tailscale/hujson"
	"github.com/tidwall/sjson"
	"github.com/wI2L/jsondiff"
)

// benchSizes are what an agent's state, a settings collection and a package
// index weigh.
var benchSizes = []struct {
	name  string
	bytes int
}{{"1KB", 1 << 10}, {"100KB", 100 << 10}, {"10MB", 10 << 20}}

// benchDocument writes records, one member a line, until size is reached. The
// field that is changed stands in the middle.
func benchDocument(size int) []byte {
	var b strings.Builder
	b.WriteString("{\n  \"version\": 3,\n  \"records\": [\n")
	record := func(i int) {
		fmt.Fprintf(&b, "    {\n      \"id\": %d,\n      \"name\": \"record %d\",\n      \"ratio\": %d.25,\n"+
			"      \"tags\": [\"alpha\", \"b\\u00e9ta\"],\n      \"done\": %v\n    }", i, i, i%97, i%2 == 0)
	}
	for i := 0; b.Len() < size/2; i++ {
		record(i)
		b.WriteString(",\n")
	}
	record(1)
	b.WriteString("\n  ],\n  \"target\": {\n    \"count\": 41\n  },\n  \"more\": [\n")
	for i := 0; b.Len() < size-160; i++ {
		record(i)
		b.WriteString(",\n")
	}
	record(2)
	b.WriteString("\n  ]\n}\n")
	return []byte(b.String())
}

var benchPatch = Patch{{Op: "replace", Path: Pointer{"target", "count"}, Value: []byte("42")}}

// BenchmarkApply changes one field of a document: as ours does it for one that
// was never seen and for one whose bytes are known to be valid, beside the bare
// validation that an unseen one can't do without, and beside other ways.
func BenchmarkApply(b *testing.B) {
	for _, size := range benchSizes {
		doc := benchDocument(size.bytes)
		for _, way := range []struct {
			name string
			run  func() ([]byte, error)
		}{
			{"bare", func() ([]byte, error) { return nil, validOrError(doc) }},
			{"unseen", func() ([]byte, error) { return applyBench(Parse(doc, Limits{})) }},
			{"unseen-appended", func() ([]byte, error) { return appendBench(Parse(doc, Limits{})) }},
			{"trusted", func() ([]byte, error) { return applyBench(Trusted(doc, Strict), nil) }},
			{"evanphx", func() ([]byte, error) { return benchOracle(doc) }},
			{"sjson", func() ([]byte, error) { return sjson.SetRawBytes(doc, "target.count", []byte("42")) }},
			{"hujson", func() ([]byte, error) { return benchHujson(doc) }},
			{"unmarshal", func() ([]byte, error) { return benchUnmarshal(doc) }},
		} {
			b.Run(way.name+"/"+size.name, func(b *testing.B) {
				b.SetBytes(int64(len(doc)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := way.run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func validOrError(doc []byte) error {
	if !jsontext.Value(doc).IsValid() {
		return ErrInvalid
	}
	return nil
}

func applyBench(d *Document, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	after, _, err := d.Apply(benchPatch, Limits{})
	if err != nil {
		return nil, err
	}
	return after.Bytes(), nil
}

// appendBench writes into memory that is used again.
func appendBench(d *Document, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	benchBuffer, err = d.AppendApply(benchBuffer[:0], benchPatch, Limits{})
	return benchBuffer, err
}

var benchBuffer []byte

func benchOracle(doc []byte) ([]byte, error) {
	p, err := evanphx.DecodePatch([]byte(`[{"op":"replace","path":"/target/count","value":42}]`))
	if err != nil {
		return nil, err
	}
	return p.Apply(doc)
}

func benchHujson(doc []byte) ([]byte, error) {
	v, err := hujson.Parse(doc)
	if err != nil {
		return nil, err
	}
	if err := v.Patch([]byte(`[{"op":"replace","path":"/target/count","value":42}]`)); err != nil {
		return nil, err
	}
	return v.Pack(), nil
}

func benchUnmarshal(doc []byte) ([]byte, error) {
	var v map[string]any
	if err := json.Unmarshal(doc, &v); err != nil {
		return nil, err
	}
	v["target"].(map[string]any)["count"] = 42
	return json.MarshalIndent(v, "", "  ")
}

// BenchmarkDiff compares ours with wI2L/jsondiff, both from text to patch.
func BenchmarkDiff(b *testing.B) {
	for _, size := range benchSizes {
		doc := benchDocument(size.bytes)
		after := bytes.Replace(doc, []byte(`"count": 41`), []byte(`"count": 42`), 1)
		dropped := bytes.Replace(doc, doc[bytes.Index(doc, []byte("    {")):bytes.Index(doc, []byte("    },\n"))+7], nil, 1)
		for _, change := range []struct {
			name string
			to   []byte
		}{{"field", after}, {"drop", dropped}} {
			b.Run("ours/"+change.name+"/"+size.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p, err := Diff(Trusted(doc, Strict), Trusted(change.to, Strict))
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(len(p.Encode())), "patch-bytes")
				}
			})
			b.Run("jsondiff/"+change.name+"/"+size.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p, err := jsondiff.CompareJSON(doc, change.to, jsondiff.UnmarshalFunc(unmarshalNumbers))
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(len(p.String())), "patch-bytes")
				}
			})
		}
	}
}

// What an edit allocates must not grow with the document, but for the output
// itself: the number of allocations is the same, or nearly, for a thousand times
// as much text.
func TestAllocationsDoNotGrow(t *testing.T) {
	measure := func(size int, trusted bool) float64 {
		doc := benchDocument(size)
		return testing.AllocsPerRun(10, func() {
			d := Trusted(doc, Strict)
			if !trusted {
				var err error
				d, err = Parse(doc, Limits{})
				require.NoError(t, err)
			}
			_, _, err := d.Apply(benchPatch, Limits{})
			require.NoError(t, err)
		})
	}
	for _, trusted := range []bool{true, false} {
		small, large := measure(1<<10, trusted), measure(1<<20, trusted)
		t.Logf("trusted %v: %.0f allocations at 1 KB, %.0f at 1 MB", trusted, small, large)
		require.LessOrEqual(t, large, small+8)
	}
}
