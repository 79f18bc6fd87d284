-- What decides when a task runs, beside the tasks that it needs: retries, times,
-- places, pools, and people. docs/architecture.md has the model.
--
-- +goose Up

-- priority:    added to that of each of its tasks
-- paused_at:   since when none of its tasks may start; it is one of holds
-- retry_holds: whether its other tasks wait while one waits for its retry
-- defaults:    JSON object, keys of a task: what its tasks are queued with
-- hooks:       JSON object: what is to run when it ends, see taskfile
-- conditional: whether a task of it has ever depended on another one whatever its end
-- pooled:      whether a task of it has ever needed places in pools
ALTER TABLE job ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN paused_at INTEGER;
ALTER TABLE job ADD COLUMN retry_holds INTEGER NOT NULL DEFAULT 1 CONSTRAINT job_retry_holds CHECK (retry_holds IN (0, 1));
ALTER TABLE job ADD COLUMN defaults TEXT;
ALTER TABLE job ADD COLUMN hooks TEXT;
ALTER TABLE job ADD COLUMN conditional INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_conditional CHECK (conditional IN (0, 1));
ALTER TABLE job ADD COLUMN pooled INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_pooled CHECK (pooled IN (0, 1));

-- holds:    how many of blockers are no dependencies: times, pools
-- retries:  attempts that may follow a failed one
-- retry:    how they follow, see job.Retry; NULL: as usual
-- tries:    failed attempts that count, since it was queued or reset
-- pools:    places that it needs while it runs, as in 'gpu:2,license', sorted. While it
--           is pending they are one of its blockers and of its holds
-- place:    order among tasks of the same priority, lower first
-- run_if:   which ends of the tasks that it needs let it run
-- unique_key: no other task of the job is queued with it; NULL: none
-- unique_for: how long: 0: until it has ended; -1: until it starts; else so many
--             microseconds from when it was queued. Who wants the key looks at that
-- hooks:    as those of a job
ALTER TABLE task ADD COLUMN holds INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_holds CHECK (holds BETWEEN 0 AND blockers);
ALTER TABLE task ADD COLUMN retries INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_retries CHECK (retries >= 0);
ALTER TABLE task ADD COLUMN retry TEXT;
ALTER TABLE task ADD COLUMN tries INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_tries CHECK (tries BETWEEN 0 AND retries + 1);
ALTER TABLE task ADD COLUMN pools TEXT;
ALTER TABLE task ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN run_if TEXT NOT NULL DEFAULT 'success' CONSTRAINT task_run_if CHECK (run_if IN ('success', 'failure', 'always'));
ALTER TABLE task ADD COLUMN hooks TEXT;
ALTER TABLE task ADD COLUMN unique_key TEXT;
ALTER TABLE task ADD COLUMN unique_for INTEGER CONSTRAINT task_unique_for CHECK ((unique_for IS NULL) = (unique_key IS NULL));
ALTER TABLE task DROP CONSTRAINT task_reason;
ALTER TABLE task ADD CONSTRAINT task_reason CHECK (reason IN ('exited', 'signaled', 'timed_out', 'cancelled', 'lost', 'too_much_output', 'not_started', 'imported', 'skipped'));

DROP INDEX task_ready;
CREATE INDEX task_ready ON task (job, priority DESC, place, id) WHERE status = 'pending' AND blockers = 0;

-- A second task of a job with the same key cannot be stored.
CREATE UNIQUE INDEX task_unique ON task (job, unique_key) WHERE unique_key IS NOT NULL;

-- The tasks that will be ready without another task: a job with one has not ended.
CREATE INDEX task_held ON task (job) WHERE status = 'pending' AND holds > 0 AND holds = blockers;

-- The tasks that wait for nothing but places in pools, by those places, best first.
CREATE INDEX task_lane ON task (job, pools, priority DESC, place, id) WHERE status = 'pending' AND blockers = 1 AND pools IS NOT NULL;

-- condition:   which end of the task that is needed lets go of this one
-- met:         of an 'any': whether it has let go. Those of 'success' have let go while
--              what they need is completed
-- missing_job: the job of missing; NULL: that of the task
ALTER TABLE dependency ADD COLUMN condition TEXT NOT NULL DEFAULT 'success' CONSTRAINT dependency_condition CHECK (condition IN ('success', 'any'));
ALTER TABLE dependency ADD COLUMN met INTEGER NOT NULL DEFAULT 0 CONSTRAINT dependency_met CHECK (met IN (0, 1));
ALTER TABLE dependency ADD COLUMN missing_job TEXT;

-- freezes:   whether its runner is to stop its processes
-- frozen_at: since when they are stopped
-- frozen:    how long they were stopped before, microseconds
-- signals:   what its runner is to send to the process group of the command, 'SIGHUP SIGUSR1'
ALTER TABLE attempt ADD COLUMN freezes INTEGER NOT NULL DEFAULT 0 CONSTRAINT attempt_freezes CHECK (freezes IN (0, 1));
ALTER TABLE attempt ADD COLUMN frozen_at INTEGER;
ALTER TABLE attempt ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN signals TEXT;

-- What has ended, by when: the history. Failures are apart, so that a few among
-- millions are found. A task that was cancelled before it started, or imported, has
-- no attempt to tell of its end.
CREATE INDEX attempt_history ON attempt (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX attempt_failures ON attempt (ended_at) WHERE status = 'failed';
CREATE INDEX task_unstarted ON task (completed_at) WHERE completed_at IS NOT NULL AND (attempts = 0 OR reason IN ('cancelled', 'skipped'));

-- The job of an attempt is that of its task. As a reference it had each removal of a
-- job look through all attempts.
ALTER TABLE attempt DROP CONSTRAINT attempt_job;

-- Times that tasks wait for. Each is one of the task's blockers and of its holds.
--
-- holds_job: whether it is one of the job's holds, too
CREATE TABLE hold (
    task INTEGER NOT NULL CONSTRAINT hold_task REFERENCES task,
    kind TEXT NOT NULL CONSTRAINT hold_kind CHECK (kind IN ('delay', 'retry')),
    due INTEGER NOT NULL,
    holds_job INTEGER NOT NULL DEFAULT 0 CONSTRAINT hold_job CHECK (holds_job IN (0, 1)),
    CONSTRAINT hold_place PRIMARY KEY (task, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_due ON hold (due);

CREATE TABLE pool (
    name TEXT NOT NULL CONSTRAINT pool_name PRIMARY KEY,
    capacity INTEGER NOT NULL CONSTRAINT pool_capacity CHECK (capacity >= 0)
) STRICT, WITHOUT ROWID;

-- The places of pools that are taken. A second holder of one cannot be stored.
CREATE TABLE pool_place (
    pool TEXT NOT NULL,
    number INTEGER NOT NULL CONSTRAINT pool_place_number CHECK (number >= 0),
    attempt INTEGER NOT NULL CONSTRAINT pool_place_attempt REFERENCES attempt,
    CONSTRAINT pool_place_place PRIMARY KEY (pool, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX pool_place_attempt ON pool_place (attempt);

-- The best task of a job of those that need the same places in pools and wait for
-- nothing else. A job that has no place for one more attempt is not here.
CREATE TABLE lane (
    job INTEGER NOT NULL CONSTRAINT lane_job REFERENCES job,
    pools TEXT NOT NULL,
    next_task INTEGER NOT NULL,
    next_priority INTEGER NOT NULL,
    CONSTRAINT lane_place PRIMARY KEY (job, pools)
) STRICT, WITHOUT ROWID;
CREATE INDEX lane_next ON lane (pools, next_priority DESC, next_task);

-- cron:      the line, with @every, @daily and so on
-- timezone:  a name as in the tz database; empty: that of the machine
-- job:       NULL: each firing makes a job of its own
-- spec:      JSON object: the task, or the job file
-- source:    the file that it was declared in; NULL: a person has added it
-- file_gone: whether that file was taken away; it is paused then
-- next_at:   NULL: it does not fire by itself
-- last_at:   the time that fired last, and as which task or job
-- skipped_at: the last time that passed without a firing, and why
-- error:     why the last firing stored nothing
-- boot:      with @reboot, the start of the machine that was seen last
CREATE TABLE schedule (
    id INTEGER CONSTRAINT schedule_id PRIMARY KEY,
    name TEXT NOT NULL CONSTRAINT schedule_name CHECK (length(name) BETWEEN 1 AND 80),
    cron TEXT NOT NULL,
    timezone TEXT NOT NULL,
    overlap TEXT NOT NULL CONSTRAINT schedule_overlap CHECK (overlap IN ('skip', 'queue')),
    missed TEXT NOT NULL CONSTRAINT schedule_missed CHECK (missed IN ('one', 'none', 'all')),
    catch_up INTEGER NOT NULL CONSTRAINT schedule_catch_up CHECK (catch_up >= 0),
    job TEXT,
    spec TEXT NOT NULL,
    environment INTEGER CONSTRAINT schedule_environment REFERENCES environment,
    source TEXT,
    file_gone INTEGER NOT NULL DEFAULT 0 CONSTRAINT schedule_file_gone CHECK (file_gone IN (0, 1) AND (file_gone = 0 OR paused_at IS NOT NULL AND source IS NOT NULL)),
    paused_at INTEGER,
    next_at INTEGER,
    last_at INTEGER,
    last_job TEXT,
    last_task TEXT,
    skipped_at INTEGER,
    skipped TEXT CONSTRAINT schedule_skipped CHECK (skipped IN ('overlap', 'missed') AND skipped_at IS NOT NULL OR skipped IS NULL AND skipped_at IS NULL),
    error TEXT,
    boot TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX schedule_name ON schedule (name);
CREATE INDEX schedule_next ON schedule (next_at) WHERE next_at IS NOT NULL AND paused_at IS NULL;

-- task: 0: the label is the job's
CREATE TABLE label (
    job INTEGER NOT NULL CONSTRAINT label_job REFERENCES job,
    task INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT label_place PRIMARY KEY (job, task, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_key ON label (key, value);

-- The jobs that are paused, for status and wait.
CREATE INDEX job_paused ON job (name) WHERE paused_at IS NOT NULL;

-- What holds for the whole database: 'paused', 'hooks', and so on.
CREATE TABLE setting (
    key TEXT NOT NULL CONSTRAINT setting_key PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

DROP VIEW jobs;
CREATE VIEW jobs AS
SELECT name, state, pending + running + completed + failed + dismissed AS total,
    pending, blocked, running, completed, failed, dismissed, priority, parallel,
    datetime(paused_at / 1e6, 'unixepoch') AS paused_at,
    datetime(created_at / 1e6, 'unixepoch') AS created_at,
    datetime(updated_at / 1e6, 'unixepoch') AS updated_at
FROM job;

-- due is when it may run at the earliest. The rest is as before.
DROP VIEW tasks;
CREATE VIEW tasks AS
SELECT j.name AS job, t.name AS id, status, reason, command, args, blockers, t.priority, attempts, exit_code, signal, error,
    (SELECT name FROM task p WHERE p.id = t.parent) AS parent,
    datetime(t.created_at / 1e6, 'unixepoch') AS created_at,
    datetime(started_at / 1e6, 'unixepoch') AS started_at,
    datetime(completed_at / 1e6, 'unixepoch') AS completed_at,
    datetime(dismissed_at / 1e6, 'unixepoch') AS dismissed_at,
    (SELECT datetime(max(due) / 1e6, 'unixepoch') FROM hold h WHERE h.task = t.id) AS due,
    retries, tries, pools,
    (started_at - t.created_at) / 1e6 AS waited, (completed_at - started_at) / 1e6 AS seconds,
    dir, CASE WHEN timeout > 9e15 THEN 'none' ELSE timeout / 1e6 END AS timeout,
    CASE WHEN attempts > 0 AND length(t.name) < 60 AND t.name NOT GLOB '-*' AND t.name NOT GLOB '*[^a-zA-Z0-9_+=@,-]*'
        THEN 'jobs/' || j.name || '/logs/' || t.name || '.log' END AS log
FROM task t
JOIN job j ON j.id = job;

-- waits is about what has not let go. The rest is as before.
DROP VIEW waiting;
DROP VIEW dependencies;
CREATE VIEW dependencies AS
SELECT j.name AS job, t.name AS task, coalesce(n.name, d.missing) AS needs, coalesce(n.status, 'missing') AS status,
    t.status = 'pending' AND n.status IS NOT 'completed' AND NOT met AS waits
FROM dependency d
JOIN task t ON t.id = d.task
JOIN job j ON j.id = t.job
LEFT JOIN task n ON n.id = d.needs;

CREATE VIEW waiting AS
SELECT job, task, needs, status FROM dependencies WHERE waits;

CREATE VIEW schedules AS
SELECT name, cron, timezone, job, overlap, missed,
    datetime(paused_at / 1e6, 'unixepoch') AS paused_at,
    datetime(next_at / 1e6, 'unixepoch') AS next_at,
    datetime(last_at / 1e6, 'unixepoch') AS last_at
FROM schedule;

PRAGMA user_version = 2;
