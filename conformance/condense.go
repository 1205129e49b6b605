package conformance

import (
	"bytes"
	"strconv"
)

// maxCondensed caps what is kept of one JSON text, in bytes.
const maxCondensed = 16 << 20

// A condenser takes the data out of the data URIs of a JSON text while that passes, so that bodies of any size can be
// checked in little memory. It judges the base64 itself: what is left is valid if and only if the whole was.
type condenser struct {
	text     bytes.Buffer
	size     int64 // of what has passed
	overflow bool  // the text is longer than what is kept

	inString bool
	escaped  bool
	start    int // of the string, in text
	data     *base64Data
}

// base64Data is the data of a data URI, of which only the first characters are kept.
type base64Data struct {
	length  int64
	padding int
	bad     bool
	hex     []byte // of a \uXXXX that isn't complete yet, after the u
}

const base64Mark = ";base64,"

func (c *condenser) Write(p []byte) (int, error) {
	c.size += int64(len(p))
	for _, b := range p {
		c.next(b)
	}
	return len(p), nil
}

func (c *condenser) next(b byte) {
	switch {
	case c.data != nil && (b != '"' || c.escaped):
		c.nextData(b)
		return
	case c.escaped:
		c.escaped = false
	case c.inString && b == '\\':
		c.escaped = true
	case b == '"' && c.inString:
		c.inString = false
		c.endData()
	case b == '"':
		c.inString = true
		c.keep(b)
		c.start = c.text.Len()
		return
	}
	c.keep(b)
	if s := c.text.Bytes(); b == ',' && c.inString && c.start <= len(s) {
		if s = s[c.start:]; bytes.HasPrefix(s, []byte("data:")) && bytes.HasSuffix(s, []byte(base64Mark)) {
			c.data = new(base64Data)
		}
	}
}

// keptData is how many characters of the data are kept: enough to be valid base64.
const keptData = 4

func (c *condenser) nextData(b byte) {
	d := c.data
	switch {
	case d.hex != nil:
		if d.hex = append(d.hex, b); len(d.hex) < 4 {
			return
		}
		code, err := strconv.ParseUint(string(d.hex), 16, 8)
		if b, d.hex = byte(code), nil; err != nil || b == '\\' || b == '"' {
			b = '*'
		}
	case b == '\\' && !c.escaped:
		c.escaped = true
		return
	case c.escaped && b == 'u': // some encoders write "+" as \u002B
		c.escaped = false
		d.hex = make([]byte, 0, 4)
		return
	}
	isBase64 := b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '+' || b == '/'
	switch {
	case c.escaped && b != '/': // "\/" is a slash as some encoders write it
		d.bad = true
	case b == '=':
		d.padding++
	case !isBase64 || d.padding > 0:
		d.bad = true
	}
	c.escaped = false
	if d.length < keptData {
		c.keep(b)
	}
	d.length++
}

func (c *condenser) endData() {
	if d := c.data; d != nil && (d.bad || d.hex != nil || d.padding > 2 || d.length%4 != 0) {
		c.keep('*') // no base64
	}
	c.data = nil
}

func (c *condenser) keep(b byte) {
	if c.text.Len() >= maxCondensed {
		c.overflow = true
		return
	}
	c.text.WriteByte(b)
}
