package main

import "testing"

// Otherwise a mutant is found to be out of date only when somebody runs them all.
func TestEveryMutantStillApplies(t *testing.T) {
	t.Chdir("../..")
	for _, m := range mutants {
		if _, err := m.overlay(t.TempDir()); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}
