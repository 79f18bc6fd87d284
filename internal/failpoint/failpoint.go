// Package failpoint names the places at which the fault tests make a process
// die or stop. In a normal build its functions are empty and cost nothing; with
// the build tag failpoints they obey these variables:
//
//	AIR_EXECUTOR_FAILPOINT=name:action[,name:action...]
//	    What to do where Hit is called with that name: kill (SIGKILL), stop
//	    (SIGSTOP, so that SIGCONT lets it go on), sleep:ms, or mark, which does
//	    nothing more than to leave the mark; lose-lock, in a runner. At a point that asks with Err, fail
//	    makes it fail. With @n after the action, only the n-th time that a
//	    process comes by.
//	AIR_EXECUTOR_FAILPOINT_MARK=path
//	    Act at most once for each name, whatever number of processes come by:
//	    the one that acts first creates path.name, with its PID in it.
//	AIR_EXECUTOR_WAIT=duration
//	    How long a write waits for other writers.
//	AIR_EXECUTOR_COLLECT=1
//	    Collect garbage wherever Hit is called, whatever the name, until files
//	    that nothing refers to are closed.
//	AIR_EXECUTOR_TUNING=KEY=VALUE[,KEY=VALUE...]
//	    Settings of the Go runtime of a runner, instead of the usual ones.
//	AIR_EXECUTOR_HASTE=n
//	    A runner's clock runs n times as fast, but for what it writes down.
package failpoint
