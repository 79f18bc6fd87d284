-- Statistics.
--
-- +goose Up

-- ready_at: when it could run, if that is later than it was queued and what it needs has
--           ended: it was reset, or the time that it waited for has come
ALTER TABLE task ADD COLUMN ready_at INTEGER;

-- What has happened, counted from the events. Under 'read stats' in mark is how far.
--
-- scope: 'all' by the minute, 'job' and 'command' by the hour
-- at:    when the minute or hour begins, Unix seconds; 0: from the beginning on
-- sums:  see db/rollup.go
CREATE TABLE rollup (
    scope TEXT NOT NULL CONSTRAINT rollup_scope CHECK (scope IN ('all', 'job', 'command')),
    at INTEGER NOT NULL CONSTRAINT rollup_at CHECK (at >= 0),
    name TEXT NOT NULL,
    sums BLOB NOT NULL,
    CONSTRAINT rollup_place PRIMARY KEY (scope, at, name)
) STRICT, WITHOUT ROWID;

-- Events are counted from the oldest that is kept on, and are kept until then.
INSERT INTO mark (name, number) VALUES ('read stats', 0);

PRAGMA user_version = 6;
