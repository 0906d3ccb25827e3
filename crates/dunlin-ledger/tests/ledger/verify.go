// Checks a dunlin ledger with Go's own transparency log. Usage: verify DIR VKEY OLDSIZE OLDROOTHEX
package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder struct{ dir string }

func (f folder) Height() int { return 8 }

// ReadTiles reads tiles under their C2SP names: Go's say tile/8/..., C2SP leaves the 8 out.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(f.dir, name))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	dir, vkey := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(vkey)
	must(err)
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err)
	head, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(head.Text, "\n")
	if lines[0] != verifier.Name() {
		must(fmt.Errorf("origin"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, folder{dir})

	n := int64(0)
	for bundle := int64(0); bundle*256 < size; bundle++ {
		name := fmt.Sprintf("tile/entries/%03d", bundle)
		if size-bundle*256 < 256 {
			name += fmt.Sprintf(".p/%d", size-bundle*256)
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		must(err)
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			entry := data[2 : 2+length]
			data = data[2+length:]
			proof, err := tlog.ProveRecord(size, n, hashes)
			must(err)
			must(tlog.CheckRecord(proof, size, root, n, tlog.RecordHash(entry)))
			n++
		}
	}
	if n != size {
		must(fmt.Errorf("%d entries instead of %d", n, size))
	}
	old, err := strconv.ParseInt(os.Args[3], 10, 64)
	must(err)
	var oldRoot tlog.Hash
	oldBytes, err := hex.DecodeString(os.Args[4])
	must(err)
	copy(oldRoot[:], oldBytes)
	proof, err := tlog.ProveTree(size, old, hashes)
	must(err)
	must(tlog.CheckTree(proof, size, root, old, oldRoot))
	fmt.Printf("%d entries, consistent with %d\n", n, old)
}
