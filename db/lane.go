package db

import (
	"slices"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// While a task that needs places in pools is pending, it has one blocker and one hold
// for them, so that nothing which looks for ready tasks ever sees it. Instead, the table lane
// has the best task of each job and set of places that waits for nothing else. A
// claim compares the best of those sets that have room with the best ready task. So
// neither a full pool nor the number of tasks that wait for it is in anybody's way.

// poolsText is how the places that a task needs stand in its row.
func poolsText(pools []string) *string { return text(strings.Join(pools, ",")) }

// poolsOf is what poolsText has made of them.
func poolsOf(s *string) []string {
	if s == nil {
		return nil
	}
	return strings.Split(*s, ",")
}

// placesOf is what a row says that a task needs.
func placesOf(pools string) ([]job.Places, error) {
	var out []job.Places
	for s := range strings.SplitSeq(pools, ",") {
		p, err := job.ParsePlaces(s)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// laneRow is the best task of a job that needs these places.
type laneRow struct {
	Job      int64
	Pools    string
	Task     int64 `db:"next_task"`
	Priority int64 `db:"next_priority"`
}

// keepPooled updates what belongs to pools when a job has changed that has had tasks
// which need them: the places of an attempt that has ended (0: none has), and the
// lanes of the job, which are empty if it has no place for one more attempt.
func (t *tx) keepPooled(jobID, ended int64, open bool) error {
	if ended != 0 {
		if _, err := t.exec(`DELETE FROM pool_place WHERE attempt = ?`, ended); err != nil {
			return err
		}
	}
	if err := t.keepLanes(jobID, open); err != nil || ended == 0 {
		return err
	}
	var err error
	t.waited, err = t.anyLane()
	return err
}

// keepLanes makes the lanes of a job what follows from its tasks. No other statement
// adds to them.
func (t *tx) keepLanes(jobID int64, open bool) error {
	var old []laneRow
	if err := t.all(&old, `SELECT job, pools, next_task, next_priority FROM lane WHERE job = ? ORDER BY pools`, jobID); err != nil {
		return err
	}
	for pools := ""; open; {
		var next laneRow
		found, err := t.get(&next, t.d.nextLane(), jobID, pools)
		if err != nil {
			return err
		}
		if !found {
			break
		}
		pools = next.Pools
		i := slices.IndexFunc(old, func(r laneRow) bool { return r.Pools == pools })
		if i >= 0 {
			is := old[i]
			if old = slices.Delete(old, i, i+1); is == next {
				continue
			}
		}
		_, err = t.exec(`
INSERT INTO lane (job, pools, next_task, next_priority)
VALUES (?, ?, ?, ?)
ON CONFLICT (job, pools) DO UPDATE SET next_task = excluded.next_task, next_priority = excluded.next_priority`,
			next.Job, next.Pools, next.Task, next.Priority)
		if err != nil {
			return err
		}
	}
	for _, r := range old {
		if _, err := t.exec(`DELETE FROM lane WHERE job = ? AND pools = ?`, r.Job, r.Pools); err != nil {
			return err
		}
	}
	return nil
}

// nextLane finds the best task of a job in the lane that follows the one of this name.
func (d *DB) nextLane() string {
	return `
SELECT j.id AS job, t.pools, t.id AS next_task, t.priority + j.priority AS next_priority
FROM task t ` + d.dialect.byLane + `
JOIN job j ON j.id = t.job
WHERE t.job = ?
  AND t.status = 'pending'
  AND t.blockers = 1
  AND t.pools IS NOT NULL
  AND t.pools > ?
ORDER BY t.pools, t.priority DESC, t.place, t.id
LIMIT 1`
}

// anyLane reports whether a task waits for nothing but places in pools, of a job that
// has a place for one more attempt.
func (t *tx) anyLane() (bool, error) { return t.get(new(int), `SELECT 1 FROM lane LIMIT 1`) }

// bestLane finds the best task of those for which the pools have room, of all jobs or
// of one; nil: there is none.
func (t *tx) bestLane(jobID int64) (*laneRow, error) {
	var best *laneRow
	err := t.eachLane(func(pools string, _ int) error {
		query, args := t.d.bestOfLane(), []any{pools}
		if jobID != 0 {
			query, args = bestOfJobLane, append(args, jobID)
		}
		var r laneRow
		found, err := t.get(&r, query, args...)
		if err == nil && found && best != nil {
			found, err = t.comesFirst(&r, best)
		}
		if err == nil && found {
			best = &r
		}
		return err
	})
	return best, err
}

// comesFirst reports whether a task is to start before another one: it has a higher
// priority, comes first in their job, or is older.
func (t *tx) comesFirst(a, b *laneRow) (bool, error) {
	if a.Priority != b.Priority {
		return a.Priority > b.Priority, nil
	}
	if a.Job == b.Job {
		var places struct{ A, B int64 }
		_, err := t.get(&places, `SELECT a.place AS a, b.place AS b FROM task a JOIN task b ON b.id = ? WHERE a.id = ?`, b.Task, a.Task)
		if err != nil || places.A != places.B {
			return places.A < places.B, err
		}
	}
	return a.Task < b.Task, nil
}

func (d *DB) bestOfLane() string {
	return `
SELECT l.job, l.pools, l.next_task, l.next_priority
FROM lane l ` + d.dialect.byLaneNext + `
JOIN job j ON j.id = l.job
WHERE l.pools = ?
  AND j.holds = 0
  AND j.running < j.parallel
ORDER BY l.next_priority DESC, l.next_task
LIMIT 1` + d.dialect.skip
}

const bestOfJobLane = `
SELECT l.job, l.pools, l.next_task, l.next_priority
FROM lane l
JOIN job j ON j.id = l.job
WHERE l.pools = ?
  AND l.job = ?
  AND j.holds = 0
  AND j.running < j.parallel`

// eachLane calls fn with each set of places that tasks wait for and that is free, and
// how many tasks it is enough for. While all jobs are paused, there is none.
func (t *tx) eachLane(fn func(pools string, room int) error) error {
	for pools := ""; ; {
		found, err := t.get(&pools, `SELECT pools FROM lane `+t.d.dialect.byLaneNext+` WHERE pools > ? AND `+notPaused+` ORDER BY pools LIMIT 1`, pools)
		if err != nil || !found {
			return err
		}
		room, err := t.room(pools)
		if err != nil {
			return err
		}
		if room > 0 {
			if err := fn(pools, room); err != nil {
				return err
			}
		}
	}
}

// room is for how many tasks that need these places the pools have room.
func (t *tx) room(pools string) (int, error) {
	needs, err := placesOf(pools)
	if err != nil {
		return 0, err
	}
	room := job.MaxPlaces
	for _, p := range needs {
		var free int
		// A pool that is not there any more has no places.
		if _, err := t.get(&free, `SELECT capacity - (SELECT COUNT(*) FROM pool_place WHERE pool = ?) FROM pool WHERE name = ?`, p.Pool, p.Pool); err != nil {
			return 0, err
		}
		room = min(room, max(0, free)/p.Count)
	}
	return room, nil
}

// claimableInLanes returns how many tasks could be claimed for which the pools have
// room, and counts at most n. With only, it looks at the job of that name alone.
func (t *tx) claimableInLanes(n int, only string) (int, error) {
	sum := 0
	err := t.eachLane(func(pools string, room int) error {
		var jobs []struct {
			Job  int64
			Free int
		}
		room = min(room, n-sum)
		// Places of the job that its ready tasks will take are not counted again.
		err := t.all(&jobs, `
SELECT l.job, j.parallel - j.running - (j.pending - j.blocked) AS free
FROM lane l `+t.d.dialect.byLaneNext+`
JOIN job j ON j.id = l.job
WHERE l.pools = ?
  AND j.holds = 0
  AND j.parallel - j.running > j.pending - j.blocked
  AND (? = '' OR j.name = ?)
LIMIT ?`, pools, only, only, room)
		for _, j := range jobs {
			tasks := min(1, room)
			if most := min(room, j.Free); most > 1 && err == nil {
				_, err = t.get(&tasks, t.d.countLane(), j.Job, pools, most)
			}
			sum, room = sum+tasks, room-tasks
		}
		return err
	})
	return sum, err
}

func (d *DB) countLane() string {
	return `
SELECT COUNT(*)
FROM (
    SELECT 1
    FROM task ` + d.dialect.byLane + `
    WHERE job = ?
      AND pools = ?
      AND status = 'pending'
      AND blockers = 1
    LIMIT ?) AS tasks`
}
