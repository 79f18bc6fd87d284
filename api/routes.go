package api

import (
	"net/http"
	"path"
	"slices"
	"strings"
)

// access is who may call an endpoint.
type access int

const (
	anyone  access = iota // without a token
	reads                 // with either token
	owns                  // with the token that may do everything; it changes no job
	changes               // the same, and not on a server that is read-only
)

// route is an endpoint. Its path and operation are those of the document.
type route struct {
	method, path string
	operation    string
	access       access
	handle       func(*call) (answer, error)
}

// routes is the table of all endpoints. A test compares it with the document.
func routes() []route {
	return slices.Concat(routesOfServer(), routesOfJobs(), routesOfTasks(), routesOfPools())
}

// routesOfServer are about the server, and about all that it shows.
func routesOfServer() []route {
	return []route{
		{"GET", "/healthz", "getHealth", anyone, getHealth},
		{"GET", "/api/v1/version", "getVersion", reads, getVersion},
		{"GET", "/api/v1/openapi.json", "getDocument", reads, getDocument},
		{"GET", "/metrics", "getMetrics", reads, getMetrics},
		{"GET", "/api/v1/stats", "getStats", reads, getStats},
		{"GET", "/api/v1/summary", "getSummary", reads, getSummary},
		{"GET", "/api/v1/system", "getSystem", reads, getSystem},
		{"POST", "/api/v1/session", "logIn", anyone, logIn},
		{"DELETE", "/api/v1/session", "logOut", anyone, logOut},
		{"POST", "/api/v1/session/code", "makeCode", owns, makeCode},
		{"GET", "/api/v1/events", "getEvents", reads, getEvents},
	}
}

// routesOfJobs are about jobs.
func routesOfJobs() []route {
	return []route{
		{"POST", "/api/v1/cancel", "cancelLabelled", changes, cancelLabelled},
		{"GET", "/api/v1/jobs", "listJobs", reads, listJobs},
		{"POST", "/api/v1/jobs", "addJob", changes, addJob},
		{"GET", "/api/v1/jobs/{job}", "getJob", reads, getJob},
		{"PATCH", "/api/v1/jobs/{job}", "changeJob", changes, changeJob},
		{"DELETE", "/api/v1/jobs/{job}", "removeJob", changes, removeJob},
		{"POST", "/api/v1/jobs/{job}/cancel", "cancelJob", changes, cancelJob},
		{"POST", "/api/v1/jobs/{job}/dismiss", "dismissJob", changes, dismissJob},
		{"GET", "/api/v1/jobs/{job}/graph", "getGraph", reads, getGraph},
		{"POST", "/api/v1/jobs/{job}/kill", "killJob", changes, killJob},
		{"POST", "/api/v1/jobs/{job}/pause", "pauseJob", changes, pauseJob},
		{"POST", "/api/v1/jobs/{job}/rerun", "rerunJob", changes, rerunJob},
		{"POST", "/api/v1/jobs/{job}/reset", "resetJob", changes, resetJob},
		{"POST", "/api/v1/jobs/{job}/resume", "resumeJob", changes, resumeJob},
		{"POST", "/api/v1/jobs/{job}/retry", "retryJob", changes, retryJob},
		{"POST", "/api/v1/jobs/{job}/tasks", "addTasks", changes, addTasks},
		{"POST", "/api/v1/pause", "pauseAll", changes, pauseAll},
		{"POST", "/api/v1/prune", "prune", changes, prune},
		{"POST", "/api/v1/resume", "resumeAll", changes, resumeAll},
	}
}

// routesOfTasks are about tasks, their attempts and logs.
func routesOfTasks() []route {
	return []route{
		{"GET", "/api/v1/attempts", "listAttempts", reads, listAttempts},
		{"GET", "/api/v1/jobs/{job}/tasks", "listTasks", reads, listTasks},
		{"GET", "/api/v1/tasks/{key}", "getTask", reads, getTask},
		{"PATCH", "/api/v1/tasks/{key}", "editTask", changes, editTask},
		{"DELETE", "/api/v1/tasks/{key}", "removeTask", changes, removeTask},
		{"GET", "/api/v1/tasks/{key}/attempts/{n}/log", "getLog", reads, getLog},
		{"GET", "/api/v1/tasks/{key}/attempts/{n}/log/search", "searchLog", reads, searchLog},
		{"POST", "/api/v1/tasks/{key}/cancel", "cancelTask", changes, cancelTask},
		{"POST", "/api/v1/tasks/{key}/dismiss", "dismissTask", changes, dismissTask},
		{"POST", "/api/v1/tasks/{key}/kill", "killTask", changes, killTask},
		{"POST", "/api/v1/tasks/{key}/move", "moveTask", changes, moveTask},
		{"POST", "/api/v1/tasks/{key}/reset", "resetTask", changes, resetTask},
		{"POST", "/api/v1/tasks/{key}/retry", "retryTask", changes, retryTask},
	}
}

// routesOfPools are about pools and schedules.
func routesOfPools() []route {
	return []route{
		{"GET", "/api/v1/pools", "listPools", reads, listPools},
		{"PUT", "/api/v1/pools/{pool}", "setPool", changes, setPool},
		{"DELETE", "/api/v1/pools/{pool}", "removePool", changes, removePool},
		{"GET", "/api/v1/schedules", "listSchedules", reads, listSchedules},
		{"POST", "/api/v1/schedules", "addSchedule", changes, addSchedule},
		{"GET", "/api/v1/schedules/{schedule}", "getSchedule", reads, getSchedule},
		{"PATCH", "/api/v1/schedules/{schedule}", "changeSchedule", changes, changeSchedule},
		{"DELETE", "/api/v1/schedules/{schedule}", "removeSchedule", changes, removeSchedule},
		{"POST", "/api/v1/schedules/{schedule}/pause", "pauseSchedule", changes, pauseSchedule},
		{"POST", "/api/v1/schedules/{schedule}/resume", "resumeSchedule", changes, resumeSchedule},
		{"POST", "/api/v1/schedules/{schedule}/run", "runSchedule", changes, runSchedule},
	}
}

// mux routes requests to the endpoints and the pages.
func (a *API) mux() http.Handler {
	mux := http.NewServeMux()
	byPath := map[string]map[string]*route{}
	for _, r := range routes() {
		if byPath[r.path] == nil {
			byPath[r.path] = map[string]*route{}
		}
		byPath[r.path][r.method] = &r
	}
	for at, methods := range byPath {
		mux.HandleFunc(at, func(w http.ResponseWriter, r *http.Request) {
			routed(r, at)
			a.dispatch(w, r, methods)
		})
	}
	for at, page := range pages() {
		mux.HandleFunc(at, func(w http.ResponseWriter, r *http.Request) {
			routed(r, at)
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				a.refuseMethod(w, r, []string{http.MethodGet})
				return
			}
			page(a, w, r)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The multiplexer would lead from a path with .. in it to another one.
		if at := r.URL.EscapedPath(); at != path.Clean(at) {
			a.refuse(w, r, notFound.errorf("nothing is at %s", at))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// dispatch picks the endpoint of a path by the method.
func (a *API) dispatch(w http.ResponseWriter, r *http.Request, methods map[string]*route) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	found := methods[method]
	if found == nil {
		var allowed []string
		for m := range methods {
			allowed = append(allowed, m)
		}
		a.refuseMethod(w, r, allowed)
		return
	}
	(&call{Request: r, w: w, api: a, route: found}).serve()
}

func (a *API) refuseMethod(w http.ResponseWriter, r *http.Request, allowed []string) {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.refuse(w, r, wrongMethod.errorf("%s has no %s", r.URL.EscapedPath(), r.Method))
}
