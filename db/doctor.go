package db

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
)

// A rule is a query that finds rows which must not exist. Each row is one finding,
// described by its columns.
type rule struct{ name, query string }

// rules are what must hold in any database, at any instant.
var rules = []rule{
	{"a job's counters match its tasks", `
SELECT j.name AS place,
       'pending ' || j.pending || ', running ' || j.running || ', completed ' || j.completed || ', failed ' || j.failed || ', dismissed ' || j.dismissed || ', blocked ' || j.blocked ||
       '; its tasks: ' || c.pending || ', ' || c.running || ', ' || c.completed || ', ' || c.failed || ', ' || c.dismissed || ', ' || c.blocked AS what
FROM job j
JOIN (SELECT j.id,
             coalesce(sum(CASE WHEN t.status = 'pending' THEN 1 ELSE 0 END), 0) AS pending,
             coalesce(sum(CASE WHEN t.status = 'running' THEN 1 ELSE 0 END), 0) AS running,
             coalesce(sum(CASE WHEN t.status = 'completed' THEN 1 ELSE 0 END), 0) AS completed,
             coalesce(sum(CASE WHEN t.status = 'failed' AND t.dismissed_at IS NULL THEN 1 ELSE 0 END), 0) AS failed,
             coalesce(sum(CASE WHEN t.dismissed_at IS NOT NULL THEN 1 ELSE 0 END), 0) AS dismissed,
             coalesce(sum(CASE WHEN t.status = 'pending' AND t.blockers > 0 THEN 1 ELSE 0 END), 0) AS blocked
      FROM job j LEFT JOIN task t ON t.job = j.id
      GROUP BY j.id) c ON c.id = j.id
WHERE c.pending <> j.pending OR c.running <> j.running OR c.completed <> j.completed OR c.failed <> j.failed OR c.dismissed <> j.dismissed OR c.blocked <> j.blocked`},
	{"a job's next task is its best ready one", `
SELECT j.name AS place, 'next task ' || coalesce(CAST(j.next_task AS TEXT), 'none') || ' should be ' || coalesce(CAST(b.id AS TEXT), 'none') AS what
FROM job j
LEFT JOIN task b ON b.id = (
    SELECT t.id FROM task t
    WHERE t.job = j.id AND t.status = 'pending' AND t.blockers = 0
    ORDER BY t.priority DESC, t.place, t.id LIMIT 1)
WHERE coalesce(j.next_task, 0) <> coalesce(b.id, 0)
   OR coalesce(j.next_priority, 0) <> coalesce(b.priority + j.priority, 0)`},
	{"a task's place is between the ends of its job", `
SELECT j.name || '/' || t.name AS place, 'place ' || t.place || ', not ' || j.first_place || ' to ' || j.last_place AS what
FROM job j JOIN task t ON t.job = j.id
WHERE t.place < j.first_place OR t.place > j.last_place`},
	{"a job's state follows from its tasks", `
SELECT place, state || ', should be ' || follows AS what
FROM (SELECT name AS place, state,
             CASE WHEN running > 0 THEN 'working'
                  WHEN goes_on AND state = 'working' THEN 'working'
                  WHEN goes_on THEN 'waiting'
                  WHEN failed > 0 THEN 'failed'
                  WHEN pending > 0 THEN 'waiting'
                  ELSE 'completed' END AS follows
      FROM (SELECT j.*, j.next_task IS NOT NULL OR EXISTS (
                SELECT 1 FROM task t
                WHERE t.job = j.id AND t.status = 'pending' AND t.blockers > 0 AND t.blockers = t.holds + (
                    SELECT COUNT(*) FROM dependency d
                    WHERE d.task = t.id AND d.missing_job IS NOT NULL AND d.met = 0 AND d.stuck = 0)) AS goes_on
            FROM job j) job
      WHERE pending + running + completed + failed > 0) f
WHERE state <> follows`},
	{"a paused job is held", `
SELECT name AS place, 'holds ' || holds AS what
FROM job
WHERE paused_at IS NOT NULL AND holds = 0`},
	{"a task's blockers are its unfinished dependencies and its holds", `
SELECT j.name || '/' || t.name AS place, 'blockers ' || t.blockers || ', holds ' || t.holds || ', unfinished dependencies ' || c.open AS what
FROM task t
JOIN job j ON j.id = t.job
JOIN (SELECT t.id, t.holds + sum(CASE WHEN d.task IS NULL OR d.met = 1 OR d.condition = 'success' AND n.status = 'completed' THEN 0 ELSE 1 END) AS open
      FROM task t
      LEFT JOIN dependency d ON d.task = t.id
      LEFT JOIN task n ON n.id = d.needs
      GROUP BY t.id) c ON c.id = t.id
WHERE c.open <> t.blockers`},
	{"a pending task's holds are the times and places that it waits for, others have none", `
SELECT j.name || '/' || t.name AS place, t.status || ', holds ' || t.holds || ', should be ' || c.n AS what
FROM task t
JOIN job j ON j.id = t.job
JOIN (SELECT t.id, COUNT(h.task) + CASE WHEN t.status = 'pending' AND t.pools IS NOT NULL THEN 1 ELSE 0 END AS n
      FROM task t LEFT JOIN hold h ON h.task = t.id
      GROUP BY t.id) c ON c.id = t.id
WHERE c.n <> t.holds OR t.holds > 0 AND t.status <> 'pending'`},
	{"a job's holds are its pause and the retries that it waits for", `
SELECT j.name AS place, 'holds ' || j.holds || ', should be ' || c.n AS what
FROM job j
JOIN (SELECT j.id, coalesce(sum(h.holds_job), 0) + CASE WHEN j.paused_at IS NULL THEN 0 ELSE 1 END AS n
      FROM job j
      LEFT JOIN task t ON t.job = j.id
      LEFT JOIN hold h ON h.task = t.id
      GROUP BY j.id) c ON c.id = j.id
WHERE c.n <> j.holds`},
	{"no task waits for the end of one that has ended", `
WITH RECURSIVE dead (id) AS (
    SELECT t.id
    FROM task n
    JOIN dependency d ON d.needs = n.id
    JOIN task t ON t.id = d.task
    WHERE n.status = 'failed' AND d.condition = 'success' AND t.status = 'pending'
    UNION
    SELECT t.id
    FROM dead
    JOIN dependency d ON d.needs = dead.id
    JOIN task t ON t.id = d.task
    WHERE d.condition = 'success' AND t.status = 'pending')
SELECT j.name || '/' || t.name AS place, 'waits for ' || n.name || ', which is ' || n.status AS what
FROM dependency d
JOIN task n ON n.id = d.needs
JOIN task t ON t.id = d.task
JOIN job j ON j.id = t.job
WHERE d.condition = 'any' AND d.met = 0 AND t.status = 'pending'
  AND (n.status IN ('completed', 'failed') OR n.id IN (SELECT id FROM dead))`},
	{"what a link says follows from the task that it is on", `
WITH RECURSIVE stuck (id, why) AS (
    SELECT t.id, CASE WHEN d.needs IS NULL THEN 1 WHEN d.missing_job IS NOT NULL THEN d.stuck ELSE 2 END
    FROM task t
    JOIN dependency d ON d.task = t.id
    LEFT JOIN task n ON n.id = d.needs
    WHERE t.status = 'pending' AND d.met = 0
      AND (d.needs IS NULL OR d.missing_job IS NOT NULL AND d.stuck > 0 OR d.missing_job IS NULL AND n.status = 'failed')
    UNION
    SELECT t.id, s.why
    FROM stuck s
    JOIN dependency d ON d.needs = s.id
    JOIN task t ON t.id = d.task
    WHERE t.status = 'pending' AND d.met = 0 AND d.missing_job IS NULL)
SELECT place, 'met ' || met || ', stuck ' || stuck || '; ' || needs || ' is ' || status || ', ' || why AS what
FROM (SELECT j.name || '/' || t.name AS place, d.met, d.stuck, d.condition, n.name AS needs, n.status,
             CASE WHEN n.status = 'failed' THEN 2
                  WHEN n.status = 'pending' THEN coalesce((SELECT max(s.why) FROM stuck s WHERE s.id = n.id), 0) ELSE 0 END AS why
      FROM dependency d
      JOIN task n ON n.id = d.needs
      JOIN task t ON t.id = d.task
      JOIN job j ON j.id = t.job
      WHERE d.missing_job IS NOT NULL AND t.status <> 'running' AND NOT (t.status = 'pending' AND t.attempts > 0)) l
WHERE met <> CASE WHEN status = 'completed' OR condition = 'any' AND (status = 'failed' OR why = 2) THEN 1 ELSE 0 END
   OR stuck <> CASE WHEN met = 1 THEN 0 ELSE why END`},
	{"a job with links knows it", `
SELECT j.name AS place, 'linked ' || j.linked || ', conditional ' || j.conditional AS what
FROM dependency d
JOIN task n ON n.id = d.needs
JOIN task t ON t.id = d.task
JOIN job j ON j.id IN (n.job, t.job)
WHERE (n.job <> t.job) <> (d.missing_job IS NOT NULL) OR n.job <> t.job AND (j.linked = 0 OR j.conditional = 0)`},
	{"a running task has one running attempt, any other has none", `
SELECT j.name || '/' || t.name AS place, t.status || ', with ' || c.n || ' running attempts' AS what
FROM task t
JOIN job j ON j.id = t.job
JOIN (SELECT t.id, COUNT(a.id) AS n FROM task t LEFT JOIN attempt a ON a.task = t.id AND a.status = 'running' GROUP BY t.id) c ON c.id = t.id
WHERE c.n <> (CASE WHEN t.status = 'running' THEN 1 ELSE 0 END)`},
	{"no attempt has a number above its task's count", `
SELECT j.name || '/' || t.name AS place, 'attempt ' || a.number || ' of ' || t.attempts AS what
FROM attempt a JOIN task t ON t.id = a.task JOIN job j ON j.id = t.job
WHERE a.number > t.attempts`},
	{"an attempt is of its task's job", `
SELECT j.name || '/' || t.name AS place, 'attempt ' || a.number || ' of job ' || a.job AS what
FROM attempt a JOIN task t ON t.id = a.task JOIN job j ON j.id = t.job
WHERE a.job <> t.job`},
	{"attempts of a task do not overlap", `
SELECT j.name || '/' || t.name AS place, 'attempt ' || b.number || ' started before attempt ' || a.number || ' ended' AS what
FROM attempt a
JOIN attempt b ON b.task = a.task AND b.number > a.number
JOIN task t ON t.id = a.task
JOIN job j ON j.id = t.job
WHERE a.status = 'running' OR b.id < a.id`}, // not by their times: a clock may be set back
	{"the arguments of a task are a list of texts", `
SELECT j.name || '/' || t.name AS place, 'args ' || substr(t.args, 1, 50) AS what
FROM task t JOIN job j ON j.id = t.job
WHERE NOT ({isList})`},
	{"a completed task exited with 0", `
SELECT j.name || '/' || t.name AS place, 'exit code ' || coalesce(CAST(t.exit_code AS TEXT), 'none') AS what
FROM task t JOIN job j ON j.id = t.job
WHERE t.status = 'completed' AND coalesce(t.exit_code, 0) <> 0`},
	{"a lane has the best task that waits only for its places", `
SELECT j.name AS place, 'pools ' || w.pools || ': next task ' || coalesce(CAST(l.next_task AS TEXT), 'none') || ' should be ' || coalesce(CAST(b.id AS TEXT), 'none') AS what
FROM (SELECT job, pools FROM lane
      UNION
      SELECT job, pools FROM task WHERE status = 'pending' AND blockers = 1 AND pools IS NOT NULL) w
JOIN job j ON j.id = w.job
LEFT JOIN lane l ON l.job = w.job AND l.pools = w.pools
LEFT JOIN task b ON j.running < j.parallel AND b.id = (
    SELECT t.id FROM task t
    WHERE t.job = w.job AND t.pools = w.pools AND t.status = 'pending' AND t.blockers = 1
    ORDER BY t.priority DESC, t.place, t.id LIMIT 1)
WHERE coalesce(l.next_task, 0) <> coalesce(b.id, 0)
   OR coalesce(l.next_priority, 0) <> coalesce(b.priority + j.priority, 0)`},
	{"a job with tasks that need pools is marked so", `
SELECT DISTINCT j.name AS place, 'not marked' AS what
FROM task t JOIN job j ON j.id = t.job
WHERE t.pools IS NOT NULL AND j.pooled = 0`},
	{"only running attempts hold places in pools", `
SELECT j.name || '/' || t.name AS place, 'attempt ' || a.number || ', ' || a.status || ', holds place ' || p.number || ' of ' || p.pool AS what
FROM pool_place p JOIN attempt a ON a.id = p.attempt JOIN task t ON t.id = a.task JOIN job j ON j.id = a.job
WHERE a.status <> 'running'`},
	{"a running task holds the places that it needs", `
SELECT j.name || '/' || t.name AS place, 'needs ' || coalesce(t.pools, 'none') || ', holds ' || coalesce(h.pools, 'none') AS what
FROM attempt a
JOIN task t ON t.id = a.task
JOIN job j ON j.id = t.job
LEFT JOIN (SELECT attempt, {list} AS pools
           FROM (SELECT attempt, pool || CASE WHEN COUNT(*) = 1 THEN '' ELSE ':' || COUNT(*) END AS need
                 FROM pool_place GROUP BY attempt, pool ORDER BY attempt, need) n
           GROUP BY attempt) h ON h.attempt = a.id
WHERE a.status = 'running' AND coalesce(t.pools, '') <> coalesce(h.pools, '')`},
	{"a label is of a job or task that exists", `
SELECT coalesce(j.name, 'label') AS place, 'label ' || l.key || ' of job ' || l.job || ', task ' || l.task AS what
FROM label l
LEFT JOIN job j ON j.id = l.job
LEFT JOIN task t ON t.id = l.task AND t.job = l.job
WHERE j.id IS NULL OR l.task <> 0 AND t.id IS NULL`},
}

// Finding is a broken rule.
type Finding struct {
	Rule  string `json:"rule"`  // what should hold
	Place string `json:"place"` // where it does not: a job, job/task, or a table
	What  string `json:"what"`
}

// Check looks for damage to the file and for rows that contradict each other. It reads
// everything once and changes nothing.
func (d *DB) Check(ctx context.Context) ([]Finding, error) {
	var out []Finding
	err := d.read(ctx, func(t *tx) error {
		t.ctx = ctx // these statements may take long
		var err error
		if out, err = t.checkFile(); err != nil {
			return err
		}
		for _, r := range rules {
			var rows []struct{ Place, What string }
			if err := t.all(&rows, d.ruleQuery(r)); err != nil {
				return fmt.Errorf("check that %s: %w", r.name, err)
			}
			for _, row := range rows {
				out = append(out, Finding{r.name, row.Place, row.What})
			}
		}
		return nil
	})
	return out, err
}

// ruleQuery returns the query of a rule in the dialect of the database.
func (d *DB) ruleQuery(r rule) string {
	return strings.NewReplacer("{isList}", d.dialect.isList, "{list}", d.dialect.listNeeds).Replace(r.query)
}

// Rules describes what Check checks.
func Rules() []string {
	names := []string{"the file is sound", "rows refer to rows that exist"}
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}

// checkFile runs SQLite's own checks.
func (t *tx) checkFile() ([]Finding, error) {
	var out []Finding
	var lines []string
	if err := t.all(&lines, t.d.dialect.sound); err != nil {
		return nil, err
	}
	for _, l := range lines {
		if l != "ok" {
			out = append(out, Finding{"the file is sound", FileName, l})
		}
	}
	err := t.each(func(rows *sqlx.Rows) error {
		var table, parent string
		var row, key *int64
		if err := rows.Scan(&table, &row, &parent, &key); err != nil {
			return err
		}
		what := "refers to a row of " + parent + " that is not there"
		if row != nil {
			what = fmt.Sprintf("row %d %s", *row, what)
		}
		out = append(out, Finding{"rows refer to rows that exist", table, what})
		return nil
	}, t.d.dialect.foreignKeys)
	return out, err
}
