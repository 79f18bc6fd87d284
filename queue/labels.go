package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// MergeLabels returns labels that are sorted by key: those of over, and those of base
// whose keys over does not have.
func MergeLabels(base, over []string) []string {
	has := map[string]bool{}
	for _, pair := range over {
		key, _, _ := strings.Cut(pair, "=")
		has[key] = true
	}
	all := over[:len(over):len(over)]
	for _, pair := range base {
		if key, _, _ := strings.Cut(pair, "="); !has[key] {
			all = append(all, pair)
		}
	}
	return job.SortLabels(all)
}

// LabelFilters reads what lists are to be filtered by: KEY=VALUE, or KEY for a label
// with any value.
func LabelFilters(texts []string) (out []db.LabelFilter, err error) {
	for _, text := range texts {
		key, value, has := strings.Cut(text, "=")
		if err := job.CheckLabelKey(key); err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		f := db.LabelFilter{Key: key}
		if has {
			if err := job.CheckLabelValue(value); err != nil {
				return nil, fmt.Errorf("%q: %w", text, err)
			}
			f.Value = &value
		}
		out = append(out, f)
	}
	return out, nil
}

// pairsForm is the form of KEY=VALUE pairs, such as labels: an object.
func pairsForm(pairs []string) map[string]string {
	out := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		out[key] = value
	}
	return out
}

// patchLabels are labels with changes of some: by key, the new value, or nil for none.
func patchLabels(before []string, change map[string]*string) []string {
	var out []string
	for _, pair := range before {
		if key, _, _ := strings.Cut(pair, "="); !has(change, key) {
			out = append(out, pair)
		}
	}
	for key, value := range change {
		if value != nil {
			out = append(out, key+"="+*value)
		}
	}
	return job.SortLabels(out)
}

func has(change map[string]*string, key string) bool {
	_, is := change[key]
	return is
}

// Labelled returns the names of the jobs that have all of these labels themselves, sorted.
func (q *Queue) Labelled(ctx context.Context, labels []db.LabelFilter) ([]string, error) {
	found, err := q.DB.ListJobs(ctx, db.JobsQuery{Labels: labels})
	var names []string
	for _, j := range found {
		of := pairsForm(j.Labels)
		if !slices.ContainsFunc(labels, func(f db.LabelFilter) bool {
			value, is := of[f.Key]
			return !is || f.Value != nil && value != *f.Value
		}) {
			names = append(names, j.Name)
		}
	}
	slices.Sort(names)
	return names, err
}
