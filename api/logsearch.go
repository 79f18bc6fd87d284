package api

import (
	"regexp"

	"github.com/air-executor/air-executor/queue"
)

// atOnce is how many logs are searched at the same time. Others wait.
const atOnce = 2

func searchLog(c *call) (answer, error) {
	var p SearchLogParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	key, n, err := c.attempt()
	if err != nil {
		return answer{}, err
	}
	q := queue.LogSearch{Text: or(p.Q, ""), From: or(p.From, 0)}
	switch {
	case p.Q == nil && p.Regex == nil:
		return answer{}, wrongParameter("q", "or regex is missing")
	case p.Q != nil && p.Regex != nil:
		return answer{}, wrongParameter("regex", "cannot be given with q")
	case p.Regex != nil:
		if q.Match, err = regexp.Compile(*p.Regex); err != nil {
			return answer{}, wrongParameter("regex", "is not a regular expression: "+err.Error())
		}
	}
	done, err := c.wait()
	if err != nil {
		return answer{}, err
	}
	defer done()
	select {
	case c.api.searches <- struct{}{}:
		defer func() { <-c.api.searches }()
	case <-c.Context().Done():
		return answer{}, c.Context().Err()
	}
	found, err := c.api.queue.SearchLog(c.Context(), key, n, q)
	if err != nil {
		return answer{}, err
	}
	out := LogHits{Hits: []LogHit{}, Next: found.Next, Size: found.Size, Complete: found.Complete}
	for _, h := range found.Hits {
		out.Hits = append(out.Hits, LogHit{Offset: h.Offset, At: h.At, Length: h.Length, Line: h.Line, Cut: h.Cut})
	}
	return ok(out, nil)
}
