-- What has happened, in order. docs/events.md says what each kind of event is.
--
-- Each process that opens the database parses the triggers, so they are few and short:
-- those for what runners and running commands do, as programs of the version before
-- still run then. The other events are written by the program.
--
-- +goose Up

-- id:   only grows: the newest row is never deleted
-- data: what belongs to the kind, words with a space between. See db/event.go
CREATE TABLE event (
    id INTEGER CONSTRAINT event_id PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    job INTEGER,
    task INTEGER,
    attempt INTEGER,
    data TEXT
) STRICT;

-- The names of jobs that are gone.
CREATE INDEX event_removed ON event (job) WHERE kind = 'job.removed';

-- Numbers to remember: the highest that a task and a job had that were deleted, under
-- 'task' and 'job', so that no number is given twice; and under 'read NAME' up to which
-- event a reader has come that must see all.
CREATE TABLE mark (
    name TEXT NOT NULL CONSTRAINT mark_name PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO setting (key, value) VALUES ('epoch', lower(hex(randomblob(4))));

-- +goose StatementBegin
CREATE TRIGGER job_changed AFTER UPDATE OF state ON job WHEN new.state <> old.state BEGIN
INSERT INTO event (at, kind, job, data) VALUES (new.updated_at, 'job.changed', new.id, new.state);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_started AFTER INSERT ON attempt WHEN new.status = 'running' BEGIN
INSERT INTO event (at, kind, job, task, attempt) VALUES (new.started_at, 'task.started', new.job, new.task, new.number);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_ended AFTER UPDATE OF status ON attempt WHEN new.status <> 'running' BEGIN
INSERT INTO event (at, kind, job, task, attempt, data) VALUES (new.ended_at, 'task.ended', new.job, new.task, new.number, new.status || ' ' || coalesce(new.reason, '') || ' ' || coalesce(new.exit_code, '') || ' ' || coalesce(new.signal, '') || ' ' || (new.ended_at - new.started_at));
END;
-- +goose StatementEnd

-- What is given back has not started.
-- +goose StatementBegin
CREATE TRIGGER task_returned AFTER DELETE ON attempt WHEN old.status = 'running' BEGIN
INSERT INTO event (at, kind, job, task, data) VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'tasks.reset', old.job, old.task, '1');
END;
-- +goose StatementEnd

-- The newest event is the end of its attempt.
-- +goose StatementBegin
CREATE TRIGGER task_retrying AFTER INSERT ON hold WHEN new.kind = 'retry' BEGIN
INSERT INTO event (at, kind, job, task, attempt, data) SELECT at, 'task.retrying', job, task, attempt, new.due FROM event ORDER BY id DESC LIMIT 1;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_skipped AFTER UPDATE OF dismissed_at ON task WHEN new.reason = 'skipped' AND old.status = 'pending' BEGIN
INSERT INTO event (at, kind, job, task, data) VALUES (new.completed_at, 'task.ended', new.job, new.id, 'failed skipped   ');
END;
-- +goose StatementEnd

PRAGMA user_version = 4;
