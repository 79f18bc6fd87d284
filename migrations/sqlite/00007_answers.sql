-- What was answered to requests that have a key, so that it is answered again.
--
-- +goose Up

-- digest: of what was asked for
CREATE TABLE answer (
    key TEXT NOT NULL CONSTRAINT answer_key PRIMARY KEY,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE INDEX answer_at ON answer (at);

PRAGMA user_version = 7;
