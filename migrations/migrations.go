// Package migrations holds the goose SQL files that build and change the
// database, one folder for each SQL dialect.
package migrations

import "embed"

// Version is the number of the newest migration. Every migration ends by writing its
// number to PRAGMA user_version, so that one read tells a program whether there is
// anything to do.
const Version = 7

// ApplicationID marks a SQLite file as ours (PRAGMA application_id, "Aire").
const ApplicationID = 0x41697265

// UnreleasedID marks a file with a schema from before the first release ("AirX"). No
// migration leads from there.
const UnreleasedID = 0x41697258

// SQLite is the folder of migrations for SQLite.
//
//go:embed sqlite/*.sql
var SQLite embed.FS
