package main

import (
	"os"
	"strings"
	"time"
)

// remarkOnTimeZone says that times are not local where the zone that was asked
// for is not known: the runtime takes UTC then, without a word.
func (ui *ui) remarkOnTimeZone() {
	if zone := os.Getenv("TZ"); unknownZone(zone, time.Local.String()) {
		ui.notef("the time zone %q of TZ is not known; times are in UTC", zone)
	}
}

// unknownZone reports whether UTC is in force although zone asks for another.
func unknownZone(zone, inForce string) bool {
	zone = strings.TrimPrefix(zone, ":")
	return zone != "" && zone != "UTC" && inForce == "UTC"
}
