package db

import "fmt"

// manyTasks is how many tasks are stored between two progress notes.
const manyTasks = 10_000

// progress notes how far a large transaction has got, for processes that wait for it.
func (t *tx) progress(tasks int) {
	if tasks%manyTasks == 0 {
		t.noted = true
		t.d.engine.Note(fmt.Sprintf("stores tasks, %d so far", tasks))
	}
}

// forgetProgress clears the note.
func (t *tx) forgetProgress() {
	if t.noted {
		t.d.engine.Note("")
	}
}
