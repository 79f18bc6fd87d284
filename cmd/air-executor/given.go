package main

// givenFlag is a flag, and whether it was given.
type givenFlag struct {
	name string
	is   bool
}

// firstGiven is the first of the flags that was given, or nothing.
func firstGiven(flags ...givenFlag) string {
	for _, f := range flags {
		if f.is {
			return f.name
		}
	}
	return ""
}
