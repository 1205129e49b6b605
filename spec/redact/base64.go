package redact

// minData is how many base64 characters in a row count as media data. Signatures and tokens are shorter as a rule.
const minData = 512

// minDataLine is how long the lines of base64 are that is broken into lines: 64 in PEM, 76 in MIME.
const minDataLine = 60

var dataMark = []byte("[base64 data]")

// withoutBase64 replaces long runs of base64, also those broken into lines, raw or escaped as in JSON.
func withoutBase64(text []byte) []byte {
	var out []byte
	copied := 0
	for i := 0; i+minData <= len(text); {
		n, characters := base64Run(text[i:])
		if characters >= minData {
			out = append(append(out, text[copied:i]...), dataMark...)
			copied = i + n
		}
		i += max(n, 1)
	}
	if copied == 0 {
		return text
	}
	return append(out, text[copied:]...)
}

// base64Run returns the length of the run at the start of text, and how many of its bytes are base64.
func base64Run(text []byte) (n, characters int) {
	line := 0
	for n < len(text) {
		if c, size := decode(text[n:]); isBase64[c] {
			n, characters, line = n+size, characters+1, line+1
			continue
		}
		skip := lineBreak(text[n:])
		if skip == 0 || line < minDataLine {
			return n, characters
		}
		n, line = n+skip, 0
	}
	return n, characters
}

// lineBreak returns the length of the line break at the start of text, raw or escaped, or 0.
func lineBreak(text []byte) (n int) {
	for n < len(text) {
		i := n + backslashes(text[n:])
		switch {
		case text[n] == '\r' || text[n] == '\n':
			n++
		case i > n && i < len(text) && (text[i] == 'r' || text[i] == 'n'):
			n = i + 1
		default:
			return n
		}
	}
	return n
}

var isBase64 = func() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_") {
		table[c] = true
	}
	return table
}()
