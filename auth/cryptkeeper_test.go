package auth_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minihub/minihub/auth"
)

func testKey(first byte) []byte {
	key := make([]byte, 32)
	for i := range key {
		key[i] = first + byte(i)
	}
	return key
}

func keeper(t *testing.T, keys ...string) *auth.CryptKeeper {
	t.Helper()
	k, err := auth.NewCryptKeeper(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// vector is the one of JupyterHub's schema sheet: key 00..1f, time 1700000000, IV of zeros, {"a": 1}.
const vector = "gAAAAABlU_EAAAAAAAAAAAAAAAAAAAAAANtcDxFec3ebH2-yRvLyWOcPjVTdN7voc1nHDoCJF3Q0RNskZogQ8BOmzrtws-KBtw=="

// zeros stands in for crypto/rand, where the library takes its IV from.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestEncryptReproducesTheVector(t *testing.T) {
	k := keeper(t, hex.EncodeToString(testKey(0)))
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(1700000000, 0)))
		random := rand.Reader
		rand.Reader = zeros{}
		defer func() { rand.Reader = random }()
		token, err := k.Encrypt(map[string]any{"a": 1})
		if err != nil || string(token) != vector {
			t.Errorf("got  %s, %v\nwant %s", token, err, vector)
		}
	})
	value, stale, err := k.Decrypt([]byte(vector))
	if err != nil || stale || !cmp.Equal(value, any(map[string]any{"a": json.Number("1")})) {
		t.Errorf("got %v, %v, %v", value, stale, err)
	}
}

func TestDecryptWhatPythonEncrypted(t *testing.T) {
	c := loadCorpus(t).Fernet
	if len(c.Tokens) == 0 {
		t.Fatal("the corpus is empty")
	}
	k := keeper(t, c.Key)
	for _, tc := range c.Tokens {
		value, stale, err := k.Decrypt([]byte(tc.Token))
		if err != nil || stale {
			t.Errorf("%s: %v, %v", tc.JSON, stale, err)
			continue
		}
		again, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		_ = json.Unmarshal(tc.JSON, &want)
		_ = json.Unmarshal(again, &got)
		if !cmp.Equal(want, got) {
			t.Errorf("got %s, want %s", again, tc.JSON)
		}
		if strings.Contains(string(tc.JSON), "1152921504606846976") && !strings.Contains(string(again), "1152921504606846976") {
			t.Errorf("2^60 did not survive: %s", again)
		}
	}
}

func TestCryptKeys(t *testing.T) {
	raw := testKey('A')
	raw[3] = ';' // a raw key may contain the separator
	forms := map[string]string{
		"raw": string(raw), "hex": hex.EncodeToString(raw), "HEX": strings.ToUpper(hex.EncodeToString(raw)),
		"base64url": base64.URLEncoding.EncodeToString(raw), "base64": base64.StdEncoding.EncodeToString(raw),
		"padded": " " + hex.EncodeToString(raw) + "\n", "list": ";;" + hex.EncodeToString(raw) + " ; ",
	}
	token, err := keeper(t, string(raw)).Encrypt("x")
	if err != nil {
		t.Fatal(err)
	}
	for form, key := range forms {
		value, stale, err := keeper(t, key).Decrypt(token)
		if value != "x" || stale || err != nil {
			t.Errorf("%s: %v, %v, %v", form, value, stale, err)
		}
	}

	for _, bad := range []string{"short", strings.Repeat("g", 64), strings.Repeat("!", 44), hex.EncodeToString(raw) + ";oops-oops"} {
		_, err := auth.NewCryptKeeper(bad)
		if err == nil || errors.Is(err, auth.ErrNoKeys) || !strings.Contains(err.Error(), "64 hex digits") {
			t.Errorf("key %q: %v", bad, err)
		} else if strings.Contains(err.Error(), "oops") || strings.Contains(err.Error(), "short") {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	for _, none := range [][]string{nil, {""}, {" ; "}} {
		if k, err := auth.NewCryptKeeper(none...); k != nil || !errors.Is(err, auth.ErrNoKeys) {
			t.Errorf("%q: %v, %v", none, k, err)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	old, fresh := hex.EncodeToString(testKey(1)), hex.EncodeToString(testKey(2))
	token, err := keeper(t, old).Encrypt(map[string]any{"k": "v"})
	if err != nil {
		t.Fatal(err)
	}
	both := keeper(t, fresh+";"+old)
	value, stale, err := both.Decrypt(token)
	if err != nil || !stale || !cmp.Equal(value, any(map[string]any{"k": "v"})) {
		t.Fatalf("got %v, %v, %v; want it stale", value, stale, err)
	}
	if token, err = both.Encrypt(value); err != nil {
		t.Fatal(err)
	}
	if _, stale, err = keeper(t, fresh).Decrypt(token); err != nil || stale {
		t.Errorf("re-encrypted: %v, %v", stale, err)
	}
	if _, _, err := keeper(t, old).Decrypt(token); !errors.Is(err, auth.ErrUndecryptable) {
		t.Errorf("the old key alone: %v", err)
	}
}

func TestDecryptDamaged(t *testing.T) {
	k := keeper(t, string(testKey('A')))
	token, err := k.Encrypt(map[string]any{"secret": "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string][]byte{"cut": token[:len(token)-4], "rubbish": []byte("rubbish"), "short": []byte("gA=="), "zeros": make([]byte, 200)}
	for i := 0; i < len(token)-4; i += 7 {
		flipped := bytes.Clone(token)
		flipped[i] ^= 1
		damaged["flipped at "+string(rune('0'+i/10))+string(rune('0'+i%10))] = flipped
	}
	for what, token := range damaged {
		if value, _, err := k.Decrypt(token); !errors.Is(err, auth.ErrUndecryptable) || value != nil {
			t.Errorf("%s: %v, %v", what, value, err)
		}
	}
	if value, stale, err := k.Decrypt(nil); value != nil || stale || err != nil {
		t.Errorf("nothing stored: %v, %v, %v", value, stale, err)
	}
	if token, err := k.Encrypt(nil); token != nil || err != nil {
		t.Errorf("nothing to store: %v, %v", token, err)
	}
	if _, err := k.Encrypt(func() {}); err == nil {
		t.Error("a function was encrypted")
	}
	var none *auth.CryptKeeper
	_, err = none.Encrypt(1)
	_, _, err2 := none.Decrypt(token)
	if !errors.Is(err, auth.ErrNoKeys) || !errors.Is(err2, auth.ErrNoKeys) {
		t.Errorf("no keys: %v, %v", err, err2)
	}
}

func FuzzDecrypt(f *testing.F) {
	f.Add([]byte(vector))
	f.Add([]byte("gAAAAAA="))
	k, err := auth.NewCryptKeeper(string(testKey('A')))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		if value, _, err := k.Decrypt(token); len(token) > 0 && (err == nil || value != nil) {
			t.Errorf("a token made without the key was decrypted: %v", value)
		}
	})
}

func FuzzEncryptRoundTrip(f *testing.F) {
	k, err := auth.NewCryptKeeper(string(testKey('A')))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`a", :\`, "b")
	f.Fuzz(func(t *testing.T, key, text string) {
		value := any(map[string]any{strings.ToValidUTF8(key, "?"): strings.ToValidUTF8(text, "?"), "list": []any{true, nil}})
		token, err := k.Encrypt(value)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := k.Decrypt(token); err != nil || !cmp.Equal(got, value) {
			t.Errorf("got %v, %v; want %v", got, err, value)
		}
	})
}
