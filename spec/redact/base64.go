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
	for i := 0; i < len(text); {
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
		switch {
		case isBase64[text[n]]:
			n, characters, line = n+1, characters+1, line+1
		case escapedBase64(text[n:]) > 0:
			n, characters, line = n+escapedBase64(text[n:]), characters+1, line+1
		default:
			skip := lineBreak(text[n:])
			if skip == 0 || line < minDataLine {
				return n, characters
			}
			n, line = n+skip, 0
		}
	}
	return n, characters
}

// escapedBase64 returns the length of the escape at the start of text if it stands for a base64 character, or 0.
func escapedBase64(text []byte) int {
	if c, n := decode(text); n > 1 && isBase64[c] {
		return n
	}
	return 0
}

// lineBreak returns the length of the line break at the start of text, raw or escaped, or 0.
func lineBreak(text []byte) (n int) {
	for n < len(text) {
		switch {
		case text[n] == '\r' || text[n] == '\n':
			n++
		case text[n] == '\\' && n+1 < len(text) && (text[n+1] == 'r' || text[n+1] == 'n'):
			n += 2
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
