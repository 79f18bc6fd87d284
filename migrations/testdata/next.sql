-- What a later version may do to the schema, for tests: it is a sketch of what
-- docs/architecture.md plans. No table is built anew, and the program of the version
-- before works on with it. NEXT stands for its number.
--
-- +goose Up

-- Values of a job, a task and so on.
ALTER TABLE job ADD COLUMN paused_at INTEGER;
ALTER TABLE task ADD COLUMN retries INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_retries CHECK (retries >= 0);
ALTER TABLE task ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN frozen_at INTEGER;
ALTER TABLE manager ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE environment ADD COLUMN used_at INTEGER;
ALTER TABLE dependency ADD COLUMN whatever INTEGER NOT NULL DEFAULT 0 CONSTRAINT dependency_whatever CHECK (whatever IN (0, 1));

-- A task that waits for a time.
CREATE TABLE hold (
    task INTEGER NOT NULL CONSTRAINT hold_task REFERENCES task,
    kind TEXT NOT NULL CONSTRAINT hold_kind CHECK (kind IN ('delay', 'retry')),
    due INTEGER NOT NULL,
    CONSTRAINT hold_place PRIMARY KEY (task, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_due ON hold (due);

CREATE TABLE label (
    job INTEGER NOT NULL CONSTRAINT label_job REFERENCES job,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT label_place PRIMARY KEY (job, key)
) STRICT, WITHOUT ROWID;

-- What has happened. Triggers write it, so runners of the version before do too.
CREATE TABLE event (
    id INTEGER CONSTRAINT event_id PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    job INTEGER NOT NULL,
    task INTEGER NOT NULL,
    attempt INTEGER NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER attempt_starts AFTER INSERT ON attempt
BEGIN
    INSERT INTO event (at, kind, job, task, attempt) VALUES (new.started_at, 'task.started', new.job, new.task, new.number);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER attempt_ends AFTER UPDATE OF status ON attempt
BEGIN
    INSERT INTO event (at, kind, job, task, attempt) VALUES (new.ended_at, 'task.ended', new.job, new.task, new.number);
END;
-- +goose StatementEnd

-- One more reason why a task does not run, and other rules that change.
ALTER TABLE task DROP CONSTRAINT task_reason;
ALTER TABLE task ADD CONSTRAINT task_reason CHECK (reason IN ('exited', 'signaled', 'timed_out', 'cancelled', 'lost', 'too_much_output', 'not_started', 'imported', 'skipped'));
ALTER TABLE job DROP CONSTRAINT job_parallel;
ALTER TABLE job ADD CONSTRAINT job_parallel CHECK (parallel >= 0);
ALTER TABLE manager ALTER COLUMN pid_start DROP NOT NULL;

-- Another order of a job's ready tasks.
DROP INDEX task_ready;
CREATE INDEX task_ready ON task (job, priority DESC, place, id) WHERE status = 'pending' AND blockers = 0;

DROP VIEW jobs;
CREATE VIEW jobs AS SELECT name, state, paused_at FROM job;

PRAGMA user_version = NEXT;
