package orm

import (
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

const (
	// GeneratedRounds is for tokens with enough entropy of their own.
	GeneratedRounds = 1
	// SuppliedRounds is for tokens and secrets that a person chose.
	SuppliedRounds = 16384
	// MaxTokenLength is the longest token, in characters; longer ones are invalid without hashing.
	MaxTokenLength = 64
	// MinTokenLength is the shortest token that may be supplied.
	MinTokenLength = 8

	prefixLength = 4
	saltBytes    = 8
	maxRounds    = 1_000_000 // a row written by somebody else must not make us hash for hours
)

// NewToken returns a new random token: a version 4 UUID in 32 hexadecimal digits.
func NewToken() string {
	id := uuid.New()
	return hex.EncodeToString(id[:])
}

// TokenPrefix returns the part of a token that is stored in clear to find its row.
func TokenPrefix(token string) string {
	n := 0
	for i := range token {
		if n == prefixLength {
			return token[:i]
		}
		n++
	}
	return token
}

// HashToken returns what JupyterHub stores of a token: sha512:<rounds>:<salt>:<digest>, where the digest is one SHA-512 over the salt
// and the token repeated rounds times.
func HashToken(token string, rounds int) string {
	var raw [saltBytes]byte
	_, _ = rand.Read(raw[:]) // never fails
	salt := hex.EncodeToString(raw[:])
	return "sha512:" + strconv.Itoa(rounds) + ":" + salt + ":" + digest(token, salt, rounds)
}

// VerifyToken says whether token has this hash, in time that does not depend on where they differ. Tokens of more than
// MaxTokenLength characters, unknown algorithms and more than a million rounds are refused without hashing.
func VerifyToken(hashed, token string) bool {
	if len(token) > MaxTokenLength*4 || len([]rune(token)) > MaxTokenLength {
		return false
	}
	parts := strings.Split(hashed, ":")
	if len(parts) != 4 || parts[0] != "sha512" {
		return false
	}
	rounds, err := strconv.Atoi(parts[1])
	if err != nil || rounds < 1 || rounds > maxRounds {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(digest(token, parts[2], rounds)), []byte(parts[3])) == 1
}

func digest(token, salt string, rounds int) string {
	h := sha512.New()
	h.Write([]byte(salt))
	block := []byte(strings.Repeat(token, min(rounds, 128)))
	for rounds > 0 {
		n := min(rounds, 128)
		h.Write(block[:n*len(token)])
		rounds -= n
	}
	return hex.EncodeToString(h.Sum(nil))
}
