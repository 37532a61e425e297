package recovery

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal"
)

// TestPlaceSeesASave: what another program saved since the file was read stays where it is;
// nothing is put in its place, or over it, or recorded.
func TestPlaceSeesASave(t *testing.T) {
	for _, inPlace := range []bool{false, true} {
		for name, save := range map[string]func(p *place){
			"a save":   func(p *place) { require.NoError(t, os.WriteFile(p.target(), []byte(textOther), 0o600)) },
			"a rename": func(p *place) { p.write(""); p.write(textOther) },
			"removal":  func(p *place) { p.write("") },
		} {
			t.Run(name, func(t *testing.T) {
				p := newPlace(t, "f.json")
				p.build(Settled, textNew, newest(Settled, 0))
				f := p.open()
				rec := &wal.Record{Kind: wal.KindImage, Unit: otherUnit, Rev: 3, Before: f.Found.Version, After: versionOfText(textOld), Image: []byte(textOld)}
				if inPlace {
					rec.Kind = wal.KindInPlace
				}
				r := &Replacement{File: f, Data: []byte(textOld), Version: rec.After, InPlace: inPlace}
				require.NoError(t, r.Stage())
				require.NoError(t, f.Log.Append(rec))
				require.NoError(t, f.Log.Sync())
				save(p)
				stands := p.read()

				require.ErrorIs(t, r.Place(rec), ErrChanged)
				require.NoError(t, r.Discard())
				require.Equal(t, stands, p.read())
				require.NoFileExists(t, Displaced(p.target()))
				require.Equal(t, rec.LSN, f.Log.State().Last)
			})
		}
	}
}
