package db

// asOf returns the cursor of the events as this transaction sees them: who reads the
// events after it misses nothing of what came after what was read here.
func (t *tx) asOf() (Cursor, error) {
	epoch, err := t.epoch()
	if err != nil {
		return "", err
	}
	p, err := t.newest()
	return newCursor(epoch, p.ID, p.At), err
}
