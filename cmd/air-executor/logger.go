package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/lmittmann/tint"
)

// levelCritical is above slog's own levels.
const levelCritical = slog.LevelError + 4

// newLogger makes the log of a manager or runner. Level and format are values of the
// configuration.
func newLogger(s *sink, level, format string) *slog.Logger {
	lv := levelOf(level)
	var h slog.Handler
	if format == "console" {
		h = tint.NewTextHandler(s, &tint.Options{Level: lv, TimeFormat: time.DateTime, NoColor: !colour(s.file)})
	} else {
		h = slog.NewJSONHandler(s, &slog.HandlerOptions{Level: lv, ReplaceAttr: nameLevel})
	}
	if s.direct {
		return slog.New(h) // it drops nothing
	}
	s.report = func(n int64) {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines of this log were dropped: nobody read it", 0)
		r.AddAttrs(slog.Int64("lines", n))
		_ = h.Handle(context.Background(), r)
	}
	return slog.New(honest{h, s})
}

func levelOf(name string) slog.Level {
	switch strings.ToUpper(name) {
	case "DEBUG":
		return slog.LevelDebug
	case "WARNING":
		return slog.LevelWarn
	case "ERROR":
		return slog.LevelError
	case "CRITICAL":
		return levelCritical
	}
	return slog.LevelInfo
}

// nameLevel writes levels with the names of the configuration.
func nameLevel(groups []string, a slog.Attr) slog.Attr {
	if a.Key != slog.LevelKey || len(groups) > 0 {
		return a
	}
	switch level, _ := a.Value.Any().(slog.Level); {
	case level >= levelCritical:
		a.Value = slog.StringValue("CRITICAL")
	case level == slog.LevelWarn:
		a.Value = slog.StringValue("WARNING")
	}
	return a
}
