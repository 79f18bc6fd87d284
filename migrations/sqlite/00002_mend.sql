-- +goose Up

-- Which tasks have an environment: one that no task has is removed.
CREATE INDEX task_environment ON task (environment) WHERE environment IS NOT NULL;
-- A failure that somebody has acknowledged does not count any more. job.failed
-- leaves it out: runners of version 1 tell by that column how a job has ended.
ALTER TABLE job ADD COLUMN dismissed INTEGER NOT NULL DEFAULT 0 CHECK (dismissed >= 0);
ALTER TABLE task ADD COLUMN dismissed_at INTEGER CHECK (dismissed_at IS NULL OR status = 'failed');

-- Whether a task comes from a job file: one that leaves the file is dropped.
ALTER TABLE task ADD COLUMN from_file INTEGER NOT NULL DEFAULT 0 CHECK (from_file IN (0, 1));

-- Who removes a task has to find those that refer to it.
CREATE INDEX task_parent ON task (parent) WHERE parent IS NOT NULL;
CREATE INDEX task_root ON task (root) WHERE root IS NOT NULL;
-- What keeps a running attempt from its end, for people; NULL: nothing.
ALTER TABLE attempt ADD COLUMN stuck TEXT;

PRAGMA user_version = 2;
