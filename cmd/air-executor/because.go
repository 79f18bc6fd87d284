package main

// because is the reason behind what was said, if there is one.
func because(why *string) string {
	if why == nil {
		return ""
	}
	return ": " + oneLine(*why)
}
