// Package failpoint names the places at which the fault tests make a process
// die or stop. In a normal build its functions are empty and cost nothing; with
// the build tag failpoints they obey these variables:
//
//	AIR_EXECUTOR_FAILPOINT=name:action[,name:action...]
//	    What to do where Hit is called with that name: kill (SIGKILL), stop
//	    (SIGSTOP, so that SIGCONT lets it go on) or sleep:ms. With @n after the
//	    action, only the n-th time that a process comes by.
//	AIR_EXECUTOR_FAILPOINT_MARK=path
//	    Act at most once for each name, whatever number of processes come by:
//	    the one that acts first creates path.name, with its PID in it.
//	AIR_EXECUTOR_WAIT=duration
//	    How long a write waits for other writers.
package failpoint
