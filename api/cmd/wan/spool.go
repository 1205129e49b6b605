package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// spool copies the media that come from standard input or from pipes into temporary files, since their size and their
// type have to be known in advance, and lets the property name those.
func (o *modelOptions) spool(ctx context.Context, p *property) error {
	if !isMedia(p.Schema) {
		return nil
	}
	for i, text := range p.values {
		if text != "-" {
			info, err := os.Stat(text)
			if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
				continue
			}
		}
		f, err := os.CreateTemp("", "wan-media-*")
		if err != nil {
			return err
		}
		o.spooled = append(o.spooled, f.Name())
		n, err := await(ctx, func() (int64, error) { return o.copyMedia(f, text) })
		if err != nil {
			return err
		}
		if n > o.maxMedia<<20 {
			return fmt.Errorf("more than the %d MiB of --max-media", o.maxMedia)
		}
		p.values[i] = f.Name()
	}
	return nil
}

// copyMedia copies at most one byte more than the limit.
func (o *modelOptions) copyMedia(f *os.File, name string) (n int64, err error) {
	defer func() { err = errors.Join(err, f.Close()) }()
	r := o.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return 0, err
		}
		defer file.Close()
		r = file
	}
	return io.Copy(f, io.LimitReader(r, o.maxMedia<<20+1))
}

func (o *modelOptions) removeSpooled() {
	for _, name := range o.spooled {
		_ = os.Remove(name)
	}
}
