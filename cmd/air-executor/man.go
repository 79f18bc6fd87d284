package main

import (
	"os"
	"path/filepath"
)

type manCmd struct {
	Folder string `arg:"" name:"folder" help:"The folder to write to; it is created if it does not exist."`
}

// Help is printed below the summary.
func (*manCmd) Help() string {
	return `Writes a man page for the program and one for each command, as packages ship them: air-executor.1, air-executor-enqueue.1 and so on.

Exit codes: 0 done; 1 error; 2 wrong flags.`
}

// Run writes the pages.
func (c *manCmd) Run(ui *ui) error {
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	pages := manPages(newParser(new(commandLine), nil).Model)
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(c.Folder, name+".1"), []byte(page), 0o644); err != nil {
			return err
		}
	}
	if ui.json() {
		return ui.printJSON(manJSON{c.Folder, len(pages)})
	}
	ui.printf("%s: %d pages\n", c.Folder, len(pages))
	return nil
}

// manJSON is what man prints with --json.
type manJSON struct {
	Folder string `json:"folder"`
	Pages  int    `json:"pages"`
}
