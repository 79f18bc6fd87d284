-- What a task reads, and what its priority was before it waited.
--
-- +goose Up

-- late: by how much priority is lower than what was asked for: with aging, all tasks that
--       wait gain alike, so that a task is ranked lower the later it was queued. What was
--       asked for is priority + late
ALTER TABLE task ADD COLUMN late INTEGER NOT NULL DEFAULT 0;

-- linked: whether a task of it has ever needed one of another job, or been needed by one
ALTER TABLE job ADD COLUMN linked INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_linked CHECK (linked IN (0, 1));

-- A dependency on a task of another job is a link: missing_job is the name of that job
-- once the task is there, and met says for both conditions whether it has let go.
--
-- stuck: of a link: why what is needed cannot end by itself as things are: 1: a task on
--        the way is not there, 2: one has failed; 0: it can
ALTER TABLE dependency ADD COLUMN stuck INTEGER NOT NULL DEFAULT 0 CONSTRAINT dependency_stuck CHECK (stuck IN (0, 1, 2));
CREATE INDEX dependency_link ON dependency (missing_job) WHERE missing_job IS NOT NULL;

-- What the command reads from its standard input. No row: nothing.
--
-- hook: whether the task is a hook: the runner adds the end of the log
CREATE TABLE task_input (
    task INTEGER NOT NULL CONSTRAINT task_input_task REFERENCES task,
    stdin BLOB NOT NULL,
    hook INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_input_hook CHECK (hook IN (0, 1)),
    CONSTRAINT task_input_place PRIMARY KEY (task)
) STRICT;

-- first_place, last_place: the lowest and the highest place that a task of it was given
--             by hand, or 0. New tasks get the highest, so that they come last
ALTER TABLE job ADD COLUMN first_place INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_first_place CHECK (first_place <= 0);
ALTER TABLE job ADD COLUMN last_place INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_last_place CHECK (last_place >= 0);

-- The jobs with failures that count, for status. Nothing is written to it while all
-- goes well.
CREATE INDEX job_failed ON job (updated_at) WHERE failed > 0;

-- priority is what was asked for. The rest is as before.
DROP VIEW tasks;
CREATE VIEW tasks AS
SELECT j.name AS job, t.name AS id, status, reason, command, args, blockers, t.priority + late AS priority, attempts, exit_code, signal, error,
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

-- needs has the name of the job where it is another one.
DROP VIEW waiting;
DROP VIEW dependencies;
CREATE VIEW dependencies AS
SELECT j.name AS job, t.name AS task, coalesce(d.missing_job || ':' || n.name, n.name, d.missing) AS needs, coalesce(n.status, 'missing') AS status,
    t.status = 'pending' AND NOT (n.status IS 'completed' AND d.missing_job IS NULL) AND NOT met AS waits
FROM dependency d
JOIN task t ON t.id = d.task
JOIN job j ON j.id = t.job
LEFT JOIN task n ON n.id = d.needs;

CREATE VIEW waiting AS
SELECT job, task, needs, status FROM dependencies WHERE waits;

PRAGMA user_version = 3;
