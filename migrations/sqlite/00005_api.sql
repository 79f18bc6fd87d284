-- Pages of the tasks of a job.
--
-- +goose Up

-- The tasks of a job in the order in which they were queued.
CREATE INDEX task_job ON task (job);

-- Its failures that count, in that order. Nothing is written to it while all goes well.
CREATE INDEX task_job_failures ON task (job) WHERE status = 'failed' AND dismissed_at IS NULL;

PRAGMA user_version = 5;
