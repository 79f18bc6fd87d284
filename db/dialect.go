package db

import "github.com/jmoiron/sqlx"

// dialect is what differs between SQL databases. Everything else in this
// package is SQL that SQLite and PostgreSQL both speak.
type dialect struct {
	bind  int    // kind of placeholder, as sqlx numbers them
	begin string // starts a transaction that will write

	// Hints that pin a query to the index that was made for it.
	byClaimable  string // of job
	byJobName    string // of job
	byFailed     string // of job
	byReady      string // of task
	byLane       string // of task
	byHeld       string // of task
	byLaneNext   string // of lane
	bySlot       string // of attempt
	byMissing    string // of dependency
	byEnd        string // of attempt
	byFailure    string // of attempt
	byUnstarted  string // of task
	byJob        string // of task
	byJobFailure string // of task
	byTaskName   string // of task

	// Queries that are written differently for each database.
	nextTask    string // the row for the next task, which no other transaction will take
	nextJob     string // that for the next job
	changes     string // a number that changes with every commit of another connection
	sound       string // lines that say what is wrong with the file, or just "ok"
	foreignKeys string // table, row, parent and key of every broken reference
	isList      string // whether t.args is a JSON array of texts
	listNeeds   string // the texts n.need of a group, in order, with commas between

	lockRow string // appended to a SELECT: keep the row until the end of the transaction
	skip    string // the same, but skip rows that others have locked
}

// sqliteDialect needs no row locks: there is only one write transaction at a time.
// Without the hints its planner may pick another index and sort every pending task for
// each claim, or scan a whole job for each task that is added.
var sqliteDialect = dialect{
	bind:        sqlx.QUESTION,
	begin:       "BEGIN IMMEDIATE",
	byClaimable: "INDEXED BY job_claimable",
	byJobName:   "INDEXED BY job_name",
	byFailed:    "INDEXED BY job_failed",
	byReady:     "INDEXED BY task_ready",
	byLane:      "INDEXED BY task_lane",
	byHeld:      "INDEXED BY task_held",
	byLaneNext:  "INDEXED BY lane_next",
	bySlot:      "INDEXED BY attempt_slot",
	nextTask:    "SELECT coalesce(max(n.id), 0) + 1 FROM (SELECT max(id) AS id FROM task UNION ALL SELECT number FROM mark WHERE name = 'task') AS n", // only one transaction writes
	nextJob:     "SELECT coalesce(max(n.id), 0) + 1 FROM (SELECT max(id) AS id FROM job UNION ALL SELECT number FROM mark WHERE name = 'job') AS n",
	changes:     "PRAGMA data_version",
	sound:       "PRAGMA integrity_check",
	foreignKeys: "PRAGMA foreign_key_check",
	isList:      "CASE WHEN json_valid(t.args) THEN json_type(t.args) = 'array' AND NOT EXISTS (SELECT 1 FROM json_each(t.args) e WHERE e.type <> 'text') ELSE 0 END",
	listNeeds:   "group_concat(n.need, ',' ORDER BY n.need)",
	byMissing:   "INDEXED BY dependency_missing",
	byEnd:       "INDEXED BY attempt_history",
	byFailure:   "INDEXED BY attempt_failures",
	byUnstarted: "INDEXED BY task_unstarted",

	byJob:        "INDEXED BY task_job",
	byJobFailure: "INDEXED BY task_job_failures",
	byTaskName:   "INDEXED BY task_name",
}
