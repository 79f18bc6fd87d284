-- What a later version may do to the schema, for tests: it is a sketch of what
-- docs/architecture.md plans. No table is built anew, and the program of the version
-- before works on with it. NEXT stands for its number.
--
-- +goose Up

-- Values of a job, a task and so on.
ALTER TABLE job ADD COLUMN seen_at INTEGER;
ALTER TABLE task ADD COLUMN nice INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_nice CHECK (nice BETWEEN -20 AND 19);
ALTER TABLE task ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN seen_at INTEGER;
ALTER TABLE manager ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE environment ADD COLUMN used_at INTEGER;
ALTER TABLE dependency ADD COLUMN within INTEGER NOT NULL DEFAULT 0 CONSTRAINT dependency_within CHECK (within >= 0);

-- What a task has left for others.
CREATE TABLE result (
    task INTEGER NOT NULL CONSTRAINT result_task REFERENCES task,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    CONSTRAINT result_place PRIMARY KEY (task, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX result_key ON result (key);

-- What somebody is to be told. Triggers write it, so runners of the version before do
-- too.
CREATE TABLE notice (
    id INTEGER CONSTRAINT notice_id PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    task INTEGER NOT NULL,
    attempt INTEGER NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER notice_starts AFTER INSERT ON attempt
BEGIN
    INSERT INTO notice (at, kind, task, attempt) VALUES (new.started_at, 'started', new.task, new.number);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER notice_ends AFTER UPDATE OF status ON attempt
BEGIN
    INSERT INTO notice (at, kind, task, attempt) VALUES (new.ended_at, 'ended', new.task, new.number);
END;
-- +goose StatementEnd

-- One more reason why a task does not run, and other rules that change.
ALTER TABLE task DROP CONSTRAINT task_reason;
ALTER TABLE task ADD CONSTRAINT task_reason CHECK (reason IN ('exited', 'signaled', 'timed_out', 'cancelled', 'lost', 'too_much_output', 'not_started', 'imported', 'skipped', 'expired'));
ALTER TABLE job DROP CONSTRAINT job_parallel;
ALTER TABLE job ADD CONSTRAINT job_parallel CHECK (parallel >= 0);
ALTER TABLE manager ALTER COLUMN pid_start DROP NOT NULL;

-- Another order of a job's ready tasks.
DROP INDEX task_ready;
CREATE INDEX task_ready ON task (job, priority DESC, place, weight, id) WHERE status = 'pending' AND blockers = 0;

DROP VIEW jobs;
CREATE VIEW jobs AS SELECT name, state, seen_at FROM job;

PRAGMA user_version = NEXT;
