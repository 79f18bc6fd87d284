package api

import (
	"math"
	"strconv"
	"strings"
)

// exposition is metrics in the text form of Prometheus, version 0.0.4.
type exposition struct {
	text strings.Builder
	name string // of the family that is written
}

const expositionType = "text/plain; version=0.0.4; charset=utf-8"

// label is a label with its value.
type label struct{ name, value string }

// family begins a family of metrics of a type: counter, gauge or histogram.
func (e *exposition) family(name, kind, help string) {
	e.name = name
	e.text.WriteString("# HELP " + name + " " + strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help) + "\n")
	e.text.WriteString("# TYPE " + name + " " + kind + "\n")
}

// sample writes a value of the family.
func (e *exposition) sample(value float64, labels ...label) { e.write("", value, labels) }

// one writes a family of one value.
func (e *exposition) one(name, kind, help string, value float64) {
	e.family(name, kind, help)
	e.sample(value)
}

func (e *exposition) write(suffix string, value float64, labels []label) {
	e.text.WriteString(e.name + suffix)
	for i, l := range labels {
		e.text.WriteByte("{,"[min(i, 1)])
		e.text.WriteString(l.name + `="` + strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(strings.ToValidUTF8(l.value, "�")) + `"`)
	}
	if len(labels) > 0 {
		e.text.WriteByte('}')
	}
	e.text.WriteString(" " + number(value) + "\n")
}

func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// bucket is a part of a histogram: how many values are not above the bound.
type bucket struct {
	bound float64
	count int64 // also of those in the buckets before
}

// histogram writes one of the family. The last bucket has no bound.
func (e *exposition) histogram(buckets []bucket, sum float64, labels ...label) {
	for _, b := range buckets {
		e.write("_bucket", float64(b.count), append(labels[:len(labels):len(labels)], label{"le", number(b.bound)}))
	}
	e.write("_sum", sum, labels)
	e.write("_count", float64(buckets[len(buckets)-1].count), labels)
}
