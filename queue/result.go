package queue

// EnqueuedForm is a task that was queued, or was there.
type EnqueuedForm struct {
	Job   string `json:"job"`
	Task  string `json:"task"`
	Added bool   `json:"added"` // false: it was there
}
