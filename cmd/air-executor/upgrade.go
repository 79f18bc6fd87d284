package main

import "context"

type upgradeCmd struct{ asksNothing }

// Help is printed below the summary.
func (*upgradeCmd) Help() string {
	return `Brings a database of an older version of this program up to date. First it writes a copy of the database, air-executor.v1.db for version 1, beside it. The older program cannot use the database afterwards.

Other commands do the same at once if no manager serves the base path. While a manager of the older program serves it, they leave the database as it is, and what needs the newer one says so.

Running tasks continue, and their results are recorded. Stop the manager first: air-executor stop.

Exit codes: 0 done, or there was nothing to do; 1 error, the database is as it was; 2 wrong flags or configuration; 4 there is no database; 5 a manager is running.`
}

// Run upgrades the database.
func (*upgradeCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	done, err := ws.upgrade(ctx)
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(done)
	}
	if done.Copy == nil {
		ui.printf("%s is up to date (version %d)\n", done.Database, done.To)
		return nil
	}
	ui.printf("Database upgraded from version %d to %d; a copy as it was before: %s\n", done.From, done.To, *done.Copy)
	return nil
}
