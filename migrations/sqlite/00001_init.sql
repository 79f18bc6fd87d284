-- The schema of the first release. It is frozen: what comes later is a migration
-- of its own. docs/architecture.md has the model, and what is prepared here for it.
--
-- Instants are Unix microseconds, durations microseconds, written by the program.
-- The tables are for the program; people look at the views at the end.
--
-- Every process that opens the database parses these statements, comments in them
-- included. So comments are between them.
--
-- Constraints have names, by which a migration can drop them and add others. What
-- is unique is an index: SQLite drops those, and no UNIQUE of a table.

-- +goose Up

-- The environments of the shells that queued tasks, once for each distinct content.
--
-- digest:  SHA-256 of content, hex
-- content: KEY=VALUE pairs, each ended by a NUL byte
CREATE TABLE environment (
    id INTEGER CONSTRAINT environment_id PRIMARY KEY,
    digest TEXT NOT NULL CONSTRAINT environment_digest CHECK (length(digest) = 64),
    content BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX environment_digest ON environment (digest);

-- added:     tasks ever added, from which numbers for ids are taken
-- pending, running, completed, failed: tasks by status; failed leaves out those
--            that were dismissed
-- blocked:   pending tasks that have blockers; the others are ready
-- next_task, next_priority: first of the ready tasks, and its priority
-- parallel:  how many of its tasks may run at once
-- holds:     reasons to start none of its tasks for now
-- extra:     JSON object, keys of other tools
CREATE TABLE job (
    id INTEGER CONSTRAINT job_id PRIMARY KEY,
    uuid TEXT NOT NULL,
    name TEXT NOT NULL CONSTRAINT job_name CHECK (length(name) BETWEEN 1 AND 100),
    state TEXT NOT NULL CONSTRAINT job_state CHECK (state IN ('waiting', 'working', 'completed', 'failed')),
    added INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_added CHECK (added >= 0),
    pending INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_pending CHECK (pending >= 0),
    running INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_running CHECK (running >= 0),
    completed INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_completed CHECK (completed >= 0),
    failed INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_failed CHECK (failed >= 0),
    dismissed INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_dismissed CHECK (dismissed >= 0),
    blocked INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_blocked CHECK (blocked BETWEEN 0 AND pending),
    next_task INTEGER CONSTRAINT job_next_task CHECK ((next_task IS NULL) = (pending = blocked)),
    next_priority INTEGER CONSTRAINT job_next_priority CHECK ((next_task IS NULL) = (next_priority IS NULL)),
    parallel INTEGER NOT NULL DEFAULT 1 CONSTRAINT job_parallel CHECK (parallel >= 1),
    holds INTEGER NOT NULL DEFAULT 0 CONSTRAINT job_holds CHECK (holds >= 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    extra TEXT,
    CONSTRAINT job_working CHECK (running = 0 OR state = 'working')
) STRICT;

CREATE UNIQUE INDEX job_name ON job (name);

-- The jobs that a claim may choose from, best first.
CREATE INDEX job_claimable ON job (next_priority DESC, next_task)
WHERE next_task IS NOT NULL AND holds = 0 AND running < parallel;

-- name:        what users call its id
-- args:        JSON array of strings
-- dir:         NULL: the folder that holds the base path
-- environment: NULL: that of the manager
-- timeout:     NULL: task_timeout of the configuration
-- blockers:    what keeps it from being ready, in number: dependencies that are not
--              completed
-- parent:      the task that queued it
-- root:        the first of its line; NULL: itself
-- depth:       generations after root
-- subtasks:    of a root: size of its line
-- from_file:   whether it comes from a job file: one that leaves the file is dropped
-- dismissed_at: when somebody acknowledged that it has failed
-- extra:       JSON object, keys of other tools
CREATE TABLE task (
    id INTEGER CONSTRAINT task_id PRIMARY KEY,
    job INTEGER NOT NULL CONSTRAINT task_job REFERENCES job,
    name TEXT NOT NULL CONSTRAINT task_name CHECK (length(name) > 0),
    command TEXT NOT NULL CONSTRAINT task_command CHECK (length(command) > 0),
    args TEXT NOT NULL,
    dir TEXT,
    environment INTEGER CONSTRAINT task_environment REFERENCES environment,
    priority INTEGER NOT NULL DEFAULT 0,
    timeout INTEGER CONSTRAINT task_timeout CHECK (timeout > 0),
    status TEXT NOT NULL CONSTRAINT task_status CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    reason TEXT CONSTRAINT task_reason CHECK (reason IN ('exited', 'signaled', 'timed_out', 'cancelled', 'lost', 'too_much_output', 'not_started', 'imported')),
    blockers INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_blockers CHECK (blockers >= 0),
    parent INTEGER CONSTRAINT task_parent REFERENCES task,
    root INTEGER CONSTRAINT task_root REFERENCES task,
    depth INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_depth CHECK (depth >= 0),
    subtasks INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_subtasks CHECK (subtasks >= 0),
    from_file INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_from_file CHECK (from_file IN (0, 1)),
    attempts INTEGER NOT NULL DEFAULT 0 CONSTRAINT task_attempts CHECK (attempts >= 0),
    exit_code INTEGER,
    signal TEXT,
    error TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    dismissed_at INTEGER CONSTRAINT task_dismissed CHECK (dismissed_at IS NULL OR status = 'failed'),
    extra TEXT,
    CONSTRAINT task_failed CHECK ((status = 'failed') = (reason IS NOT NULL)),
    CONSTRAINT task_running CHECK (status <> 'running' OR (attempts > 0 AND blockers = 0 AND started_at IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX task_name ON task (job, name);

-- The ready tasks of each job, best first.
CREATE INDEX task_ready ON task (job, priority DESC, id) WHERE status = 'pending' AND blockers = 0;

-- The failures of each job that count. Nothing is written to it while all goes well.
CREATE INDEX task_failed ON task (job, reason) WHERE status = 'failed' AND dismissed_at IS NULL;

-- Which tasks have an environment, or refer to a task: what nobody has any more is
-- removed.
CREATE INDEX task_environment ON task (environment) WHERE environment IS NOT NULL;
CREATE INDEX task_parent ON task (parent) WHERE parent IS NOT NULL;
CREATE INDEX task_root ON task (root) WHERE root IS NOT NULL;

-- position: place in the task's list
-- missing:  instead of needs, the id of a task that is not there yet
CREATE TABLE dependency (
    task INTEGER NOT NULL CONSTRAINT dependency_task REFERENCES task,
    position INTEGER NOT NULL CONSTRAINT dependency_position CHECK (position >= 0),
    needs INTEGER CONSTRAINT dependency_needs REFERENCES task,
    missing TEXT CONSTRAINT dependency_missing CHECK ((needs IS NULL) <> (missing IS NULL)),
    CONSTRAINT dependency_place PRIMARY KEY (task, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX dependency_needs ON dependency (needs) WHERE needs IS NOT NULL;
CREATE INDEX dependency_missing ON dependency (missing) WHERE missing IS NOT NULL;

-- slot:        place among the running attempts of its job, the lowest that was free
-- token:       random; an update of the attempt must know it
-- manager:     instance that sent the runner
-- runner:      number of the runner's kernel lock
-- pid, pid_start: of the runner; its start in clock ticks since boot
-- pid_namespace: where its processes can be seen, the inode of the runner's PID
--              namespace; NULL: not known
-- init_lock:   number of the kernel lock that process 1 of that holds; NULL: none
-- user_time, system_time: CPU time of the command in user mode and in the kernel
-- max_rss:     bytes
-- waits:       commands of it that wait for other tasks
-- stuck:       what keeps it from its end, for people; NULL: nothing
-- cancel_at:   when somebody asked for its end
CREATE TABLE attempt (
    id INTEGER CONSTRAINT attempt_id PRIMARY KEY,
    task INTEGER NOT NULL CONSTRAINT attempt_task REFERENCES task,
    job INTEGER NOT NULL CONSTRAINT attempt_job REFERENCES job,
    number INTEGER NOT NULL CONSTRAINT attempt_number CHECK (number >= 1),
    slot INTEGER CONSTRAINT attempt_slot CHECK (slot >= 0),
    status TEXT NOT NULL CONSTRAINT attempt_status CHECK (status IN ('running', 'completed', 'failed')),
    reason TEXT CONSTRAINT attempt_reason CHECK (reason IN ('exited', 'signaled', 'timed_out', 'cancelled', 'lost', 'too_much_output', 'not_started')),
    token TEXT NOT NULL CONSTRAINT attempt_token CHECK (length(token) = 32),
    manager TEXT NOT NULL,
    host TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    runner INTEGER NOT NULL CONSTRAINT attempt_runner CHECK (runner >= 0),
    pid INTEGER NOT NULL,
    pid_start INTEGER NOT NULL,
    pid_namespace INTEGER,
    init_lock INTEGER,
    exit_code INTEGER,
    signal TEXT,
    error TEXT,
    user_time INTEGER NOT NULL DEFAULT 0,
    system_time INTEGER NOT NULL DEFAULT 0,
    max_rss INTEGER NOT NULL DEFAULT 0,
    waits INTEGER NOT NULL DEFAULT 0 CONSTRAINT attempt_waits CHECK (waits >= 0),
    stuck TEXT,
    started_at INTEGER NOT NULL,
    cancel_at INTEGER,
    ended_at INTEGER,
    CONSTRAINT attempt_placed CHECK ((status = 'running') = (slot IS NOT NULL)),
    CONSTRAINT attempt_ended CHECK ((status = 'running') = (ended_at IS NULL)),
    CONSTRAINT attempt_failed CHECK ((status = 'failed') = (reason IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX attempt_number ON attempt (task, number);

-- One runner in each place of a job: a second one cannot be stored.
CREATE UNIQUE INDEX attempt_slot ON attempt (job, slot) WHERE slot IS NOT NULL;

-- The managers that have served this database.
--
-- stop: how it was asked to stop
CREATE TABLE manager (
    id INTEGER CONSTRAINT manager_id PRIMARY KEY,
    instance TEXT NOT NULL,
    host TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_start INTEGER NOT NULL,
    stop TEXT CONSTRAINT manager_stop CHECK (stop IN ('leave', 'drain', 'kill')),
    started_at INTEGER NOT NULL,
    stopped_at INTEGER
) STRICT;

CREATE UNIQUE INDEX manager_instance ON manager (instance);
-- For people with the sqlite3 shell. docs/sqlite3.md shows them. Times are in the
-- form of SQLite's datetime, UTC, so that they can be compared with datetime('now').

CREATE VIEW jobs AS
SELECT name, state, pending + running + completed + failed + dismissed AS total,
    pending, blocked, running, completed, failed, dismissed,
    datetime(created_at / 1e6, 'unixepoch') AS created_at,
    datetime(updated_at / 1e6, 'unixepoch') AS updated_at
FROM job;

-- waited is from queued to started. timeout is in seconds, too.
-- log is the path below the base path. NULL: it has not started, or its id has
-- characters that are written otherwise in a file name.
CREATE VIEW tasks AS
SELECT j.name AS job, t.name AS id, status, reason, command, args, blockers, priority, attempts, exit_code, signal, error,
    (SELECT name FROM task p WHERE p.id = t.parent) AS parent,
    datetime(t.created_at / 1e6, 'unixepoch') AS created_at,
    datetime(started_at / 1e6, 'unixepoch') AS started_at,
    datetime(completed_at / 1e6, 'unixepoch') AS completed_at,
    datetime(dismissed_at / 1e6, 'unixepoch') AS dismissed_at,
    (started_at - t.created_at) / 1e6 AS waited, (completed_at - started_at) / 1e6 AS seconds,
    dir, CASE WHEN timeout > 9e15 THEN 'none' ELSE timeout / 1e6 END AS timeout,
    CASE WHEN attempts > 0 AND length(t.name) < 60 AND t.name NOT GLOB '-*' AND t.name NOT GLOB '*[^a-zA-Z0-9_+=@,-]*'
        THEN 'jobs/' || j.name || '/logs/' || t.name || '.log' END AS log
FROM task t
JOIN job j ON j.id = job;

CREATE VIEW attempts AS
SELECT j.name AS job, t.name AS task, number AS attempt, a.status, a.reason, a.exit_code, a.signal, a.error, stuck, command,
    datetime(a.started_at / 1e6, 'unixepoch') AS started_at,
    datetime(ended_at / 1e6, 'unixepoch') AS completed_at,
    (ended_at - a.started_at) / 1e6 AS seconds,
    (user_time + system_time) / 1e6 AS cpu_seconds, max_rss, pid
FROM attempt a
JOIN task t ON t.id = a.task
JOIN job j ON j.id = a.job;

-- status is that of the task that is needed.
CREATE VIEW dependencies AS
SELECT j.name AS job, t.name AS task, coalesce(n.name, d.missing) AS needs, coalesce(n.status, 'missing') AS status,
    t.status = 'pending' AND n.status IS NOT 'completed' AS waits
FROM dependency d
JOIN task t ON t.id = d.task
JOIN job j ON j.id = t.job
LEFT JOIN task n ON n.id = d.needs;

CREATE VIEW waiting AS
SELECT job, task, needs, status FROM dependencies WHERE waits;

CREATE VIEW failed_today AS
SELECT job, task, attempt, reason, error, completed_at, command
FROM attempts
WHERE status = 'failed' AND date(completed_at, 'localtime') = date('now', 'localtime');

CREATE VIEW commands AS
SELECT command, count(*) AS attempts, sum(status = 'failed') AS failed,
    sum(seconds) AS seconds, max(seconds) AS longest, sum(cpu_seconds) AS cpu_seconds
FROM attempts
GROUP BY command;

-- The newest is the last. Whether it still serves, only its lock can tell:
-- stopped_at is NULL after kill -9 too.
CREATE VIEW managers AS
SELECT pid, host,
    datetime(started_at / 1e6, 'unixepoch') AS started_at,
    datetime(stopped_at / 1e6, 'unixepoch') AS stopped_at,
    stop, instance
FROM manager;

PRAGMA application_id = 1097429605; -- 0x41697265, "Aire"
PRAGMA user_version = 1;
