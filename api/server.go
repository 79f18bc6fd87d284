package api

import (
	"net/http"
	"time"

	"github.com/air-executor/air-executor/db"
)

// Health, version and document.

func getHealth(c *call) (answer, error) {
	h := Health{Status: HealthStatusOk, Database: HealthDatabaseOk, Manager: HealthManagerStopped}
	on, err := c.api.queue.Served()
	switch {
	case err != nil:
		h.Manager = HealthManagerUnknown
	case on:
		h.Manager = HealthManagerRunning
	}
	if _, err := c.api.queue.DB.ListJobs(c.Context(), db.JobsQuery{Limit: 1}); err != nil {
		c.api.log.Warn("the database cannot be read", "error", err)
		h.Status, h.Database = HealthStatusFailing, HealthDatabaseFailing
		return answer{status: http.StatusServiceUnavailable, body: h}, nil
	}
	return ok(h, nil)
}

func getVersion(c *call) (answer, error) {
	return ok(Version{
		ServerID: c.api.serverID, Version: c.api.options.Version, API: APIVersion, Role: VersionRole(c.role),
		ReadOnly: c.api.options.ReadOnly, Time: c.api.options.Clock().UTC().Truncate(time.Microsecond),
	}, nil)
}

func getDocument(c *call) (answer, error) {
	c.w.Header().Set("Content-Type", "application/json")
	_, err := c.w.Write([]byte(documentJSON))
	if err != nil {
		c.api.log.Debug("the document was not read to its end", "error", err)
	}
	return answer{written: true}, nil
}
