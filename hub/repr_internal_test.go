package hub

import "testing"

func TestReprAsPython(t *testing.T) {
	for in, want := range map[string]string{
		"a$/b": `'a$/b'`, "<!\n>": `'<!\n>'`, "it's": `"it's"`, `it's "so"`: `'it\'s "so"'`, `\`: `'\\'`,
		"\t\r\x00\x7f": `'\t\r\x00\x7f'`, "æ\u00a0\u200b": `'æ\xa0\u200b'`, "\U000e0001": `'\U000e0001'`, "": "''",
	} {
		if got := repr(in, 64); got != want {
			t.Errorf("repr(%q) = %s, want %s", in, got, want)
		}
	}
	if got := repr("abcdef", 3); len(got) >= len("'abcdef'")+3 || got[:4] != "'abc" {
		t.Errorf("cut: %s", got)
	}
}
