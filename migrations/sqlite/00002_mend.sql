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
-- Where the processes of the attempt can be seen. NULL: not known.
ALTER TABLE attempt ADD COLUMN pid_namespace INTEGER; -- inode of the runner's PID namespace
ALTER TABLE attempt ADD COLUMN init_lock INTEGER;     -- number of the kernel lock that process 1 of it holds; NULL: it holds none

-- The failures of each job that count. Nothing is written to it while all goes well.
CREATE INDEX task_failed ON task (job, reason) WHERE status = 'failed' AND dismissed_at IS NULL;

-- For people with the sqlite3 shell.

DROP VIEW jobs;
CREATE VIEW jobs AS
SELECT name, state, pending + running + completed + failed + dismissed AS total,
       pending, blocked, running, completed, failed, dismissed,
       strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1e6, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1e6, 'unixepoch') AS updated_at
FROM job;

DROP VIEW tasks;
CREATE VIEW tasks AS
SELECT j.name AS job, t.name AS id, t.status, t.reason, t.command, t.args,
       (SELECT group_concat(coalesce(n.name, d.missing), ', ')
        FROM dependency d LEFT JOIN task n ON n.id = d.needs
        WHERE d.task = t.id) AS dependencies,
       t.blockers, t.priority, t.attempts, t.exit_code, t.signal, t.error,
       CASE WHEN p.job = t.job THEN p.name ELSE pj.name || '/' || p.name END AS parent,
       strftime('%Y-%m-%dT%H:%M:%fZ', t.created_at / 1e6, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', t.started_at / 1e6, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', t.completed_at / 1e6, 'unixepoch') AS completed_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', t.dismissed_at / 1e6, 'unixepoch') AS dismissed_at,
       (t.started_at - t.created_at) / 1e6 AS waited,
       (t.completed_at - t.started_at) / 1e6 AS seconds,
       t.dir, CASE WHEN t.timeout > 9e15 THEN 'none' ELSE t.timeout / 1e6 END AS timeout,
       -- Where the log is, below the base path. NULL: it has not started, or its
       -- id has characters that are written otherwise in a file name.
       CASE WHEN t.attempts > 0 AND length(t.name) < 60
                 AND t.name NOT GLOB '*[^a-zA-Z0-9_+=@,.:/%-]*'
                 AND t.name NOT GLOB '[.-]*' AND t.name NOT GLOB '*.[0-9]*'
            THEN 'jobs/' || j.name || '/logs/'
                 || replace(replace(replace(t.name, '%', '%25'), '/', '%2F'), ':', '%3A') || '.log'
       END AS log
FROM task t
JOIN job j ON j.id = t.job
LEFT JOIN task p ON p.id = t.parent
LEFT JOIN job pj ON pj.id = p.job;

DROP VIEW attempts;
CREATE VIEW attempts AS
SELECT j.name AS job, t.name AS task, a.number AS attempt, a.status, a.reason,
       a.exit_code, a.signal, a.error, a.stuck,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.started_at / 1e6, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.ended_at / 1e6, 'unixepoch') AS completed_at,
       (a.ended_at - a.started_at) / 1e6 AS seconds,
       a.user_time / 1e6 AS user_seconds, a.system_time / 1e6 AS system_seconds, a.max_rss AS max_rss_bytes,
       a.pid AS runner_pid, a.host, a.boot_id, a.manager
FROM attempt a
JOIN task t ON t.id = a.task
JOIN job j ON j.id = a.job;

CREATE VIEW dependencies AS
SELECT j.name AS job, t.name AS task, coalesce(n.name, d.missing) AS needs, coalesce(n.status, 'missing') AS status
FROM dependency d
JOIN task t ON t.id = d.task
JOIN job j ON j.id = t.job
LEFT JOIN task n ON n.id = d.needs;

-- The newest is the last. Whether it still serves, only its lock can tell:
-- stopped_at is NULL after kill -9 too.
CREATE VIEW managers AS
SELECT pid, host,
       strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1e6, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', stopped_at / 1e6, 'unixepoch') AS stopped_at,
       stop, instance
FROM manager;

PRAGMA user_version = 2;
