package db

// asOf returns the cursor of the events as this transaction sees them: who reads the
// events after it misses nothing of what came after what was read here. Empty: there
// are no events.
func (t *tx) asOf() (string, error) { return "", nil }
