// SPDX-License-Identifier: Apache-2.0

// sumdb reads a transparency log of ours with Go's own code, golang.org/x/mod/sumdb, and writes
// one for us to read:
//
//	sumdb check VKEY PUBLIC PROOF...   the checkpoint's note, all tiles and entries below
//	                                   PUBLIC/log, the proof files, and their consistency
//	sumdb write DIR N                  vkey, checkpoint, and for each of N leaves its data and
//	                                   a proof file; and a cut-down checkpoint with a
//	                                   consistency proof
package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "sumdb:", err)
		os.Exit(1)
	}
}

func read(parts ...string) []byte {
	data, err := os.ReadFile(filepath.Join(parts...))
	try(err)
	return data
}

// A checkpoint is a note of three lines: origin, size, root hash.
func openCheckpoint(data []byte, verifiers note.Verifiers) tlog.Tree {
	n, err := note.Open(data, verifiers)
	try(err)
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 {
		try(fmt.Errorf("a checkpoint of %d lines", len(lines)))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	try(err)
	hash, err := tlog.ParseHash(lines[2])
	try(err)
	return tlog.Tree{N: size, Hash: hash}
}

// tiles reads tiles where C2SP tlog-tiles has them, which is not where x/mod would.
type tiles struct {
	log   string
	saved int
}

func (t *tiles) Height() int { return 8 }

func (t *tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range list {
		// "tile/8/LEVEL/..." is "tile/LEVEL/..." there
		data, err := os.ReadFile(filepath.Join(t.log,
			strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func (t *tiles) SaveTiles(list []tlog.Tile, data [][]byte) { t.saved += len(list) }

// entries are the log's leaves, from its entry bundles: two bytes of length before each.
func entries(log string, size int64) [][]byte {
	var out [][]byte
	for at := int64(0); at < size; at += 256 {
		name := fmt.Sprintf("%03d", at/256)
		if size-at < 256 {
			name += fmt.Sprintf(".p/%d", size-at)
		}
		data := read(log, "tile/entries", name)
		for len(data) > 0 {
			n := int(binary.BigEndian.Uint16(data))
			out = append(out, data[2:2+n])
			data = data[2+n:]
		}
	}
	return out
}

// A proof file: the leaf's place, its siblings, and the checkpoint they lead to.
func checkProof(path string, verifiers note.Verifiers, leaves [][]byte, newest tlog.Tree,
	reader tlog.HashReader) {
	head, checkpoint, found := strings.Cut(string(read(path)), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		try(fmt.Errorf("%s: not a proof", path))
	}
	index, err := strconv.ParseInt(lines[1][len("index "):], 10, 64)
	try(err)
	if index < 0 || index >= int64(len(leaves)) {
		try(fmt.Errorf("%s: leaf %d of %d", path, index, len(leaves)))
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		try(err)
		proof = append(proof, hash)
	}
	tree := openCheckpoint([]byte(checkpoint), verifiers)
	try(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaves[index])))
	consistent, err := tlog.ProveTree(newest.N, tree.N, reader)
	try(err)
	try(tlog.CheckTree(consistent, newest.N, newest.Hash, tree.N, tree.Hash))
}

func check(vkey, public string, proofs []string) {
	verifier, err := note.NewVerifier(vkey)
	try(err)
	verifiers := note.VerifierList(verifier)
	log := filepath.Join(public, "log")
	newest := openCheckpoint(read(log, "checkpoint"), verifiers)
	leaves := entries(log, newest.N)
	if int64(len(leaves)) != newest.N {
		try(fmt.Errorf("%d entries in a log of %d", len(leaves), newest.N))
	}
	// From the entries alone, without a tile:
	var hashes store
	hashes.add(leaves)
	root, err := tlog.TreeHash(newest.N, &hashes)
	try(err)
	if root != newest.Hash {
		try(fmt.Errorf("the entries give another root hash"))
	}
	// And by the tiles, which the reader authenticates against the checkpoint:
	t := &tiles{log: log}
	reader := tlog.TileHashReader(newest, t)
	for i := int64(0); i < newest.N; i++ {
		proof, err := tlog.ProveRecord(newest.N, i, reader)
		try(err)
		try(tlog.CheckRecord(proof, newest.N, newest.Hash, i, tlog.RecordHash(leaves[i])))
	}
	for _, path := range proofs {
		checkProof(path, verifiers, leaves, newest, reader)
	}
	fmt.Printf("size %d, tiles %d, proofs %d\n", newest.N, t.saved, len(proofs))
}

// store is a tree in memory.
type store struct{ hashes []tlog.Hash }

func (s *store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, s.hashes[i])
	}
	return out, nil
}

func (s *store) add(leaves [][]byte) {
	for i, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(i), leaf, s)
		try(err)
		s.hashes = append(s.hashes, more...)
	}
}

func lines(hashes []tlog.Hash) string {
	var out strings.Builder
	for _, h := range hashes {
		out.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	return out.String()
}

func write(dir string, n int64) {
	const origin = "go.example/log"
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	try(err)
	signer, err := note.NewSigner(skey)
	try(err)
	var leaves [][]byte
	for i := int64(0); i < n; i++ {
		leaves = append(leaves, []byte(fmt.Sprintf("leaf %d", i)))
	}
	var s store
	s.add(leaves)
	head := func(size int64) []byte {
		root, err := tlog.TreeHash(size, &s)
		try(err)
		text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		try(err)
		return signed
	}
	put := func(name string, data []byte) {
		try(os.WriteFile(filepath.Join(dir, name), data, 0o644))
	}
	put("vkey", []byte(vkey))
	newest := head(n)
	put("checkpoint", newest)
	for i := int64(0); i < n; i++ {
		proof, err := tlog.ProveRecord(n, i, &s)
		try(err)
		put(fmt.Sprintf("leaf-%d", i), leaves[i])
		put(fmt.Sprintf("proof-%d", i), []byte(fmt.Sprintf(
			"c2sp.org/tlog-proof@v1\nindex %d\n%s\n%s", i, lines(proof), newest)))
	}
	for size := int64(1); size <= n; size++ {
		proof, err := tlog.ProveTree(n, size, &s)
		try(err)
		put(fmt.Sprintf("checkpoint-%d", size), head(size))
		put(fmt.Sprintf("consistency-%d", size), []byte(lines(proof)))
	}
}

func main() {
	switch {
	case len(os.Args) >= 4 && os.Args[1] == "check":
		check(os.Args[2], os.Args[3], os.Args[4:])
	case len(os.Args) == 4 && os.Args[1] == "write":
		n, err := strconv.ParseInt(os.Args[3], 10, 64)
		try(err)
		write(os.Args[2], n)
	default:
		fmt.Fprintln(os.Stderr, "usage: sumdb check VKEY PUBLIC PROOF... | write DIR N")
		os.Exit(2)
	}
}
