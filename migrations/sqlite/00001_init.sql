-- Instants are Unix microseconds, durations microseconds, written by the
-- program. The tables are for the program; people look at the views at the end.

-- +goose Up

-- The environments of the shells that queued tasks, once for each distinct content.
CREATE TABLE environment (
    id      INTEGER PRIMARY KEY,
    digest  TEXT NOT NULL UNIQUE CHECK (length(digest) = 64), -- SHA-256 of content, hex
    content BLOB NOT NULL                                     -- KEY=VALUE pairs, each ended by a NUL byte
) STRICT;

CREATE TABLE job (
    id            INTEGER PRIMARY KEY,
    uuid          TEXT    NOT NULL,
    name          TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    state         TEXT    NOT NULL CHECK (state IN ('waiting', 'working', 'completed', 'failed')),
    added         INTEGER NOT NULL DEFAULT 0 CHECK (added >= 0),     -- tasks ever added, source of numbers for ids
    pending       INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),   -- tasks by status ...
    running       INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
    completed     INTEGER NOT NULL DEFAULT 0 CHECK (completed >= 0),
    failed        INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
    blocked       INTEGER NOT NULL DEFAULT 0 CHECK (blocked >= 0),   -- ... and pending ones with blockers
    next_task     INTEGER,                                           -- first of the ready tasks
    next_priority INTEGER,                                           -- and its priority
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    extra         TEXT,                                              -- JSON object, keys of other tools
    CHECK (blocked <= pending),
    CHECK ((next_task IS NULL) = (pending = blocked)),
    CHECK ((next_task IS NULL) = (next_priority IS NULL)),
    CHECK (running = 0 OR state = 'working')
) STRICT;

-- The jobs that a claim may choose from, best first.
CREATE INDEX job_claimable ON job (next_priority DESC, next_task)
    WHERE next_task IS NOT NULL AND running = 0;

CREATE TABLE task (
    id           INTEGER PRIMARY KEY,
    job          INTEGER NOT NULL REFERENCES job (id),
    name         TEXT    NOT NULL CHECK (length(name) > 0),          -- what users call its id
    command      TEXT    NOT NULL CHECK (length(command) > 0),
    args         TEXT    NOT NULL,                                   -- JSON array of strings
    dir          TEXT,                                               -- NULL: the folder that holds the base path
    environment  INTEGER REFERENCES environment (id),                -- NULL: that of the manager
    priority     INTEGER NOT NULL DEFAULT 0,
    timeout      INTEGER CHECK (timeout > 0),                        -- NULL: task_timeout of the configuration
    status       TEXT    NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    reason       TEXT    CHECK (reason IN ('exited', 'signaled', 'timed_out', 'cancelled', 'lost', 'too_much_output', 'not_started', 'imported')),
    blockers     INTEGER NOT NULL DEFAULT 0 CHECK (blockers >= 0),   -- dependencies that are not completed
    parent       INTEGER REFERENCES task (id),                       -- the task that queued it
    root         INTEGER REFERENCES task (id),                       -- the first of its line; NULL: itself
    depth        INTEGER NOT NULL DEFAULT 0 CHECK (depth >= 0),      -- generations after root
    subtasks     INTEGER NOT NULL DEFAULT 0 CHECK (subtasks >= 0),   -- of a root: size of its line
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    exit_code    INTEGER,
    signal       TEXT,
    error        TEXT,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    completed_at INTEGER,
    extra        TEXT,                                               -- JSON object, keys of other tools
    CHECK ((status = 'failed') = (reason IS NOT NULL)),
    CHECK (status <> 'running' OR (attempts > 0 AND blockers = 0 AND started_at IS NOT NULL)),
    UNIQUE (job, name)
) STRICT;

-- The ready tasks of each job, best first.
CREATE INDEX task_ready ON task (job, priority DESC, id)
    WHERE status = 'pending' AND blockers = 0;

CREATE TABLE dependency (
    task     INTEGER NOT NULL REFERENCES task (id),
    position INTEGER NOT NULL CHECK (position >= 0),                 -- place in the task's list
    needs    INTEGER REFERENCES task (id),
    missing  TEXT,                                                   -- or the id of a task that is not there yet
    CHECK ((needs IS NULL) <> (missing IS NULL)),
    PRIMARY KEY (task, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX dependency_needs ON dependency (needs) WHERE needs IS NOT NULL;
CREATE INDEX dependency_missing ON dependency (missing) WHERE missing IS NOT NULL;

CREATE TABLE attempt (
    id           INTEGER PRIMARY KEY,
    task         INTEGER NOT NULL REFERENCES task (id),
    job          INTEGER NOT NULL REFERENCES job (id),
    number       INTEGER NOT NULL CHECK (number >= 1),
    slot         INTEGER CHECK (slot >= 0),                          -- place among the running attempts of its job
    status       TEXT    NOT NULL CHECK (status IN ('running', 'completed', 'failed')),
    reason       TEXT    CHECK (reason IN ('exited', 'signaled', 'timed_out', 'cancelled', 'lost', 'too_much_output', 'not_started')),
    token        TEXT    NOT NULL CHECK (length(token) = 32),        -- random; whoever updates the attempt must know it
    manager      TEXT    NOT NULL,                                   -- instance that sent the runner
    host         TEXT    NOT NULL,
    boot_id      TEXT    NOT NULL,
    runner       INTEGER NOT NULL CHECK (runner >= 0),               -- number of the runner's kernel lock
    pid          INTEGER NOT NULL,                                   -- of the runner
    pid_start    INTEGER NOT NULL,                                   -- its start, clock ticks since boot
    exit_code    INTEGER,
    signal       TEXT,
    error        TEXT,
    user_time    INTEGER NOT NULL DEFAULT 0,                         -- CPU time in user mode
    system_time  INTEGER NOT NULL DEFAULT 0,                         -- CPU time in the kernel
    max_rss      INTEGER NOT NULL DEFAULT 0,                         -- bytes
    waits        INTEGER NOT NULL DEFAULT 0 CHECK (waits >= 0),      -- commands of it that wait for other tasks
    started_at   INTEGER NOT NULL,
    cancel_at    INTEGER,                                            -- when somebody asked for its end
    ended_at     INTEGER,
    CHECK ((status = 'running') = (slot IS NOT NULL)),
    CHECK ((status = 'running') = (ended_at IS NULL)),
    CHECK ((status = 'failed') = (reason IS NOT NULL)),
    UNIQUE (task, number)
) STRICT;

-- One runner per job: a second one for the same slot cannot be stored.
CREATE UNIQUE INDEX attempt_slot ON attempt (job, slot) WHERE slot IS NOT NULL;

-- The managers that have served this database.
CREATE TABLE manager (
    instance   TEXT    PRIMARY KEY,
    host       TEXT    NOT NULL,
    boot_id    TEXT    NOT NULL,
    pid        INTEGER NOT NULL,
    pid_start  INTEGER NOT NULL,
    stop       TEXT    CHECK (stop IN ('leave', 'drain', 'kill')),   -- how it was asked to stop
    started_at INTEGER NOT NULL,
    stopped_at INTEGER
) STRICT;

-- For people with the sqlite3 shell.

CREATE VIEW jobs AS
SELECT name, state, pending, blocked, running, completed, failed,
       strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1e6, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1e6, 'unixepoch') AS updated_at
FROM job;

CREATE VIEW tasks AS
SELECT j.name AS job, t.name AS id, t.status, t.reason, t.command, t.args,
       (SELECT group_concat(coalesce(n.name, d.missing), ', ')
        FROM dependency d LEFT JOIN task n ON n.id = d.needs
        WHERE d.task = t.id) AS dependencies,
       t.blockers, t.priority, t.attempts, t.exit_code, t.signal, t.error,
       CASE WHEN p.job = t.job THEN p.name ELSE pj.name || '/' || p.name END AS parent,
       strftime('%Y-%m-%dT%H:%M:%fZ', t.created_at / 1e6, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', t.started_at / 1e6, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', t.completed_at / 1e6, 'unixepoch') AS completed_at
FROM task t
JOIN job j ON j.id = t.job
LEFT JOIN task p ON p.id = t.parent
LEFT JOIN job pj ON pj.id = p.job;

CREATE VIEW attempts AS
SELECT j.name AS job, t.name AS task, a.number AS attempt, a.status, a.reason,
       a.exit_code, a.signal, a.error,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.started_at / 1e6, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.ended_at / 1e6, 'unixepoch') AS ended_at,
       (a.ended_at - a.started_at) / 1e6 AS seconds,
       a.user_time / 1e6 AS user_seconds, a.system_time / 1e6 AS system_seconds, a.max_rss AS max_rss_bytes,
       a.pid AS runner_pid, a.host, a.boot_id, a.manager
FROM attempt a
JOIN task t ON t.id = a.task
JOIN job j ON j.id = a.job;

PRAGMA application_id = 1097429592; -- 0x41697258, "AirX"
PRAGMA user_version = 1;
