package job

// OnManager is the first variable of an environment that comes on top of that of the
// manager: who queues a task without a shell has none to give it. It is no variable, for
// it has no name.
const OnManager = "="

// OnTop is an environment of these variables on top of that of the manager; without any,
// nil, which is that of the manager.
func OnTop(variables []string) []string {
	if len(variables) == 0 {
		return nil
	}
	return append([]string{OnManager}, variables...)
}
