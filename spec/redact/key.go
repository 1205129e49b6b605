package redact

import (
	"bytes"
	"strconv"
)

var keyMark = []byte("[API key]")

// piece is the length from which a part of the key counts as the key: text may have been cut anywhere in it.
func (r *Redactor) piece() int { return max(minSecret, (len(r.key)+1)/2) }

// withoutKey replaces the key and each piece of it, also where characters are escaped as in JSON (\u002B, \/) or in URLs
// (%2B).
func (r *Redactor) withoutKey(text []byte) []byte {
	if len(r.key) == 0 {
		return text
	}
	plain, offsets := unescape(text)
	if !r.mayHoldKey(plain) {
		return text
	}
	var out []byte
	copied := 0
	for i := 0; i < len(plain); {
		n := r.match(plain[i:])
		if n == 0 {
			i++
			continue
		}
		start, end := offset(offsets, i), offset(offsets, i+n)
		out = append(append(out, text[copied:start]...), keyMark...)
		copied = end
		i += n
	}
	if copied == 0 {
		return text
	}
	return append(out, text[copied:]...)
}

// mayHoldKey spares most texts the search. A text may also end with the beginning of the key.
func (r *Redactor) mayHoldKey(plain []byte) bool {
	for _, block := range r.blocks {
		if bytes.Contains(plain, block) {
			return true
		}
	}
	return bytes.HasPrefix(r.key, plain[max(0, len(plain)-minSecret):]) && len(plain) >= minSecret
}

// match returns how many bytes at the start of plain belong to the key, or 0.
func (r *Redactor) match(plain []byte) int {
	part := r.piece()
	if len(plain) >= part && bytes.Contains(r.key, plain[:part]) {
		n := part
		for n < len(plain) && n < len(r.key) && bytes.Contains(r.key, plain[:n+1]) {
			n++
		}
		return n
	}
	if len(plain) >= minSecret && len(plain) < part && bytes.HasPrefix(r.key, plain) { // cut at the end
		return len(plain)
	}
	return 0
}

// unescape decodes the escapes of JSON and of URLs. The offset of each decoded byte in text is in offsets, which is nil
// if nothing was escaped.
func unescape(text []byte) (plain []byte, offsets []int) {
	if !bytes.ContainsAny(text, `\%`) {
		return text, nil
	}
	plain, offsets = make([]byte, 0, len(text)), make([]int, 0, len(text)+1)
	for i := 0; i < len(text); {
		c, n := decode(text[i:])
		plain, offsets = append(plain, c), append(offsets, i)
		i += n
	}
	return plain, append(offsets, len(text))
}

// decode decodes the character at the start of text, which may have been escaped more than once, such as in JSON within
// a string of JSON. It returns how many bytes it takes.
func decode(text []byte) (c byte, n int) {
	switch text[0] {
	case '\\':
		n = backslashes(text)
		if rest := text[n:]; len(rest) > 0 && rest[0] == '/' {
			return '/', n + 1
		} else if len(rest) >= 5 && rest[0]|0x20 == 'u' {
			if v, err := strconv.ParseUint(string(rest[1:5]), 16, 16); err == nil && v < 0x80 {
				return byte(v), n + 5
			}
		}
	case '%':
		for n = 1; bytes.HasPrefix(text[n:], []byte("25")); n += 2 { // of an escaped %
		}
		if len(text) >= n+2 {
			if v, err := strconv.ParseUint(string(text[n:n+2]), 16, 8); err == nil {
				return byte(v), n + 2
			}
		}
	}
	return text[0], 1
}

// maxBackslashes are those of JSON within JSON within JSON.
const maxBackslashes = 8

// backslashes counts the backslashes at the start of text.
func backslashes(text []byte) (n int) {
	for n < min(len(text), maxBackslashes) && text[n] == '\\' {
		n++
	}
	return n
}

func offset(offsets []int, i int) int {
	if offsets == nil {
		return i
	}
	return offsets[i]
}
