package taskfile

import (
	"time"

	"github.com/air-executor/air-executor/job"
)

// clears is a kind of key whose value can be taken away.
type clears[T any] interface{ clear(to *T) }

func (k texts[T]) clear(to *T)        { *k.field(to) = "" }
func (k lists[T]) clear(to *T)        { *k.field(to) = nil }
func (k wholes[T]) clear(to *T)       { *k.field(to) = 0 }
func (k orNone[T]) clear(to *T)       { *k.field(to) = 0 }
func (k factors[T]) clear(to *T)      { *k.field(to) = 0 }
func (k limits[T]) clear(to *T)       { *k.field(to) = 0 }
func (k waits[T]) clear(to *T)        { *k.field(to) = 0 }
func (k oneOf[T, S]) clear(to *T)     { *k.field(to) = "" }
func (k folders[T]) clear(to *T)      { *k.field(to) = "" }
func (k needs[T]) clear(to *T)        { *k.field(to) = nil }
func (k failureLists[T]) clear(to *T) { *k.field(to) = nil }
func (k labels[T]) clear(to *T)       { *k.field(to) = nil }
func (k variables[T]) clear(to *T)    { *k.field(to) = nil }
func (k uniqueFors[T]) clear(to *T)   { *k.field(to) = 0 }
func (k commandHooks[T]) clear(to *T) { *k.field(to) = nil }
func (starts) clear(to *job.Task)     { to.Due, to.DueNote = time.Time{}, "" }
