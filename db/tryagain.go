package db

import (
	"encoding/json"
	"time"

	"github.com/air-executor/air-executor/job"
)

// retryText is a job.Retry in the database: JSON with durations in microseconds, and
// without what is as usual. NULL: everything is.
type retryText struct {
	Delay    int64    `json:"delay,omitempty"`
	Backoff  float64  `json:"backoff,omitempty"`
	MaxDelay int64    `json:"max_delay,omitempty"`
	Jitter   int      `json:"jitter,omitempty"`
	On       []string `json:"on,omitempty"`
	NotOn    []string `json:"not_on,omitempty"`
}

func encodeRetry(r job.Retry) *string {
	if r.IsZero() {
		return nil
	}
	b, _ := json.Marshal(retryText{r.Delay.Microseconds(), r.Backoff, r.MaxDelay.Microseconds(), r.Jitter, r.On, r.NotOn}) // no value of it can fail
	return text(string(b))
}

func decodeRetry(s *string) (job.Retry, error) {
	var r retryText
	if s == nil {
		return job.Retry{}, nil
	}
	err := json.Unmarshal([]byte(*s), &r)
	return job.Retry{
		Delay: time.Duration(r.Delay) * time.Microsecond, Backoff: r.Backoff, MaxDelay: time.Duration(r.MaxDelay) * time.Microsecond,
		Jitter: r.Jitter, On: r.On, NotOn: r.NotOn,
	}, err
}

// tried is what decides whether a task is tried again.
type tried struct {
	Retries, Tries int
	Retry          *string
	Cancelled      bool // somebody has asked for the end of the attempt
	RetryHolds     bool `db:"retry_holds"`
}

// tryAgain makes a task whose attempt has failed pending again, if it is to be tried again:
// it is held until its time comes, and counted as one more failed attempt. It returns
// false, and changes at most that count, if it is not. The counters of the job are left
// to the caller.
//
// What ended the attempt from outside, the shutdown of a machine, is no failed attempt.
func (t *tx) tryAgain(e ending, r job.Result) (again bool, err error) {
	var is tried
	found, err := t.get(&is, `
SELECT t.retries, t.tries, t.retry, a.cancel_at IS NOT NULL AS cancelled, j.retry_holds = 1 AS retry_holds
FROM task t
JOIN attempt a ON a.id = ?
JOIN job j ON j.id = t.job
WHERE t.id = ?
  AND t.retries > 0`, e.attempt, e.task)
	if err != nil || !found || is.Cancelled {
		return false, err
	}
	policy, err := decodeRetry(is.Retry)
	if err != nil {
		return false, err
	}
	outside := e.rebooted || r.Reason == job.Cancelled
	if !outside {
		is.Tries++
		if !policy.Counts(r) || is.Tries > is.Retries {
			_, err := t.exec(`UPDATE task SET tries = ? WHERE id = ?`, min(is.Tries, is.Retries+1), e.task)
			return false, err
		}
	}
	due := time.UnixMicro(t.now).Add(policy.Wait(max(is.Tries, 1), e.token))
	if err := t.addHold(e.task, retrying, due, is.RetryHolds); err != nil {
		return false, err
	}
	if is.RetryHolds {
		if err := t.releaseJob(e.job, -1); err != nil {
			return false, err
		}
	}
	n, err := t.exec(`
UPDATE task
SET status = 'pending',
    tries = ?,
    blockers = 1 + CASE WHEN pools IS NULL THEN 0 ELSE 1 END,
    holds = 1 + CASE WHEN pools IS NULL THEN 0 ELSE 1 END,
    exit_code = ?,
    signal = ?,
    error = ?,
    started_at = NULL,
    completed_at = NULL
WHERE id = ?
  AND status = 'running'`, is.Tries, r.ExitCode, text(r.Signal), text(r.Error), e.task)
	if err == nil && n != 1 {
		err = errNotRunning
	}
	return err == nil, err
}

// unretry makes a task that waits for its retry ready, with all its retries, if it does.
// It returns false if it does not. The change is that of the job's counters.
func (t *tx) unretry(j *jobRow, id string, change *delta) (waits bool, err error) {
	var task int64
	waits, err = t.get(&task, `
SELECT t.id
FROM task t
JOIN hold h ON h.task = t.id
WHERE t.job = ?
  AND t.name = ?
  AND h.kind = 'retry'`, j.ID, id)
	if err != nil || !waits {
		return false, err
	}
	if err := t.forgetHolds(j.ID, id); err != nil {
		return false, err
	}
	var blockers int
	query, args := t.toPending(`
WHERE id = ?
RETURNING blockers`, task)
	_, err = t.get(&blockers, query, args...)
	if blockers == 0 {
		change.blocked--
	}
	return true, err
}

// setRetryHolds says for a job whether its other tasks wait while one waits for its
// retry, from the next failure on; nil: as it is.
func (t *tx) setRetryHolds(jobID int64, on *bool) error {
	if on == nil {
		return nil
	}
	value := 0
	if *on {
		value = 1
	}
	_, err := t.exec(`UPDATE job SET retry_holds = ? WHERE id = ?`, value, jobID)
	return err
}
