package main

import (
	"os"
	"strings"
	"time"
)

// remarkOnTimeZone reports that times are not local if the zone in TZ is unknown: the
// runtime silently uses UTC then.
func (ui *ui) remarkOnTimeZone() {
	if zone := os.Getenv("TZ"); unknownZone(zone, time.Local.String()) {
		ui.notef("the time zone %q of TZ is not known; times are in UTC", zone)
	}
}

// unknownZone reports whether UTC is used although zone names another.
func unknownZone(zone, inForce string) bool {
	zone = strings.TrimPrefix(zone, ":")
	return zone != "" && zone != "UTC" && inForce == "UTC"
}
