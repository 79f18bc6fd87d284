// Package failpoint names the places where the fault tests kill or stop a process. In
// a normal build its functions are empty and cost nothing; with the build tag
// failpoints they obey these variables:
//
//	AIR_EXECUTOR_FAILPOINT=name:action[,name:action...]
//	    What to do where Hit is called with that name: kill (SIGKILL), stop
//	    (SIGSTOP, so that SIGCONT lets it continue), sleep:ms, or mark, which only
//	    leaves the mark; in a runner also lose-lock. Where Err is called, fail
//	    makes it return an error. With @n after the action, only the n-th call
//	    in a process acts.
//	AIR_EXECUTOR_FAILPOINT_MARK=path
//	    Act at most once for each name, in whichever process comes first: that
//	    process creates path.name, which contains its PID.
//	AIR_EXECUTOR_WAIT=duration
//	    How long a write waits for other writers.
//	AIR_EXECUTOR_COLLECT=1
//	    Collect garbage wherever Hit is called, whatever the name, until
//	    unreachable files are closed.
//	AIR_EXECUTOR_TUNING=KEY=VALUE[,KEY=VALUE...]
//	    Settings of the Go runtime of a runner, instead of the usual ones.
//	AIR_EXECUTOR_HASTE=n
//	    A runner's clock runs n times as fast, except for the times it records.
package failpoint
