package main

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// A noticeHandler shows the client's retries of submissions and downloads, which may last for minutes. Polls have a
// callback.
type noticeHandler struct{ connection *connection }

func (h *noticeHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

func (h *noticeHandler) Handle(_ context.Context, record slog.Record) error {
	if h.connection.notice == nil || strings.HasPrefix(record.Message, "poll") {
		return nil
	}
	text := record.Message
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "bytes":
			text += " at " + size(a.Value.Int64())
		case "pause":
			text += " in " + a.Value.Duration().Round(100*time.Millisecond).String()
		case "error":
			if err, ok := a.Value.Any().(error); ok {
				text += ": " + message(err)
			}
		}
		return true
	})
	h.connection.notice(text)
	return nil
}

func (h *noticeHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h *noticeHandler) WithGroup(string) slog.Handler { return h }
