package db

import "fmt"

// manyTasks is how many tasks are stored between two notes of the progress.
const manyTasks = 10_000

// progress notes how far a large transaction is, for those that wait for it.
func (t *tx) progress(tasks int) {
	if tasks%manyTasks == 0 {
		t.noted = true
		t.d.engine.Note(fmt.Sprintf("stores tasks, %d so far", tasks))
	}
}

// forgetProgress takes the note away.
func (t *tx) forgetProgress() {
	if t.noted {
		t.d.engine.Note("")
	}
}
