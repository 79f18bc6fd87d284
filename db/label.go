package db

import (
	"slices"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// labelSeparator is between the labels of a row that has all of them. No label has it.
const labelSeparator = "\x1f"

// Labels of the rows of a query, as one column. A database from before there were
// labels has none.
const (
	ofJob  = `(SELECT string_agg(l.key || '=' || l.value, '` + labelSeparator + `') FROM label l WHERE l.job = job.id AND l.task = 0)`
	ofTask = `(SELECT string_agg(l.key || '=' || l.value, '` + labelSeparator + `') FROM label l WHERE l.job = t.job AND l.task = t.id)`
)

// since2 is columns that the second version of the schema has, or as many NULLs.
func (d *DB) since2(columns ...string) string {
	var b strings.Builder
	for _, c := range columns {
		if d.Outdated() && d.schema < 2 {
			c = "NULL"
		}
		b.WriteString(", " + c)
	}
	return b.String()
}

// splitLabels takes the labels of a row apart.
func splitLabels(joined *string) []string {
	if joined == nil {
		return nil
	}
	return job.SortLabels(strings.Split(*joined, labelSeparator))
}

// label gives labels to a task or, for 0, to the job.
func (t *tx) label(jobID, task int64, labels []string) error {
	for _, pair := range labels {
		key, value, _ := strings.Cut(pair, "=")
		if _, err := t.exec(`INSERT INTO label (job, task, key, value) VALUES (?, ?, ?, ?)`, jobID, task, key, value); err != nil {
			return err
		}
	}
	return nil
}

// relabel gives other labels to a task or, for 0, to the job.
func (t *tx) relabel(jobID, task int64, labels []string) error {
	if t.d.Outdated() && len(labels) == 0 {
		return nil
	}
	if _, err := t.exec(`DELETE FROM label WHERE job = ? AND task = ?`, jobID, task); err != nil {
		return err
	}
	return t.label(jobID, task, labels)
}

// labelsOf returns the labels of a task.
func (t *tx) labelsOf(jobID, task int64) ([]string, error) {
	if t.d.Outdated() {
		return nil, nil
	}
	var labels []string
	err := t.all(&labels, `SELECT key || '=' || value FROM label WHERE job = ? AND task = ?`, jobID, task)
	return job.SortLabels(labels), err
}

// known leaves out statements about tables that an older database does not have.
func (t *tx) known(statements []string) []string {
	if !t.d.Outdated() {
		return statements
	}
	return slices.DeleteFunc(slices.Clone(statements), func(s string) bool {
		return t.d.schema < 2 && strings.Contains(s, "FROM label ") || t.d.schema < 3 && strings.Contains(s, "FROM task_input ")
	})
}

// LabelFilter asks for a label.
type LabelFilter struct {
	Key   string
	Value *string // nil: any
}

// of is a condition for a label l.
func (f LabelFilter) of(columns string) (query string, args []any) {
	query, args = "SELECT "+columns+" FROM label l WHERE l.key = ?", []any{f.Key}
	if f.Value != nil {
		query, args = query+" AND l.value = ?", append(args, *f.Value)
	}
	return query, args
}

// jobTerms is a condition for jobs that have the label, or a task with it.
func (f LabelFilter) jobTerms(job string) (term string, args []any) {
	query, args := f.of("l.job")
	return job + ".id IN (" + query + ")", args
}

// taskTerms is a condition for tasks t of a job j that have the label, or whose job
// has it. Only in jobs where there is such a label are tasks looked at.
func (f LabelFilter) taskTerms() (term string, args []any) {
	jobs, args := f.jobTerms("j")
	query, more := f.of("1")
	return jobs + " AND EXISTS (" + query + " AND l.job = t.job AND l.task IN (0, t.id))", append(args, more...)
}

// labelNew gives labels to the job, if it is new.
func (a *adder) labelNew(labels []string) error {
	if !a.created {
		return nil
	}
	return a.t.label(a.job.ID, 0, labels)
}
