package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"sync"
)

// asset is a static file of our own. Everything about it is worked out when somebody asks for it, once: a hub starts in less time than
// it takes to hash and compress all files, and in tests nobody asks.
type asset struct {
	contentType string
	body        func() ([]byte, error)
	sum         func() string // SHA-512 in hexadecimal, the version in the address; "" for a file that cannot be read
	packed      func() []byte // gzip; nil when that would not be smaller
}

func newAsset(name string, read func() ([]byte, error)) *asset {
	f := &asset{contentType: contentType(name)}
	f.body = sync.OnceValues(func() ([]byte, error) {
		body, err := read()
		if err != nil {
			return nil, fmt.Errorf("read the static file %s: %w", name, err)
		}
		return body, nil
	})
	f.sum = sync.OnceValue(func() string {
		body, err := f.body()
		if err != nil {
			return ""
		}
		sum := sha512.Sum512(body)
		return hex.EncodeToString(sum[:])
	})
	f.packed = sync.OnceValue(func() []byte {
		body, err := f.body()
		if err != nil {
			return nil
		}
		return pack(body)
	})
	return f
}

// pack compresses, and gives up when that does not pay.
func pack(body []byte) []byte {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err = z.Write(body); err != nil || z.Close() != nil || packed.Len() >= len(body)*9/10 {
		return nil
	}
	return packed.Bytes()
}
