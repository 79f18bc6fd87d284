# There is no daemon: every job is a process that waits for those before it. All
# of them are killed. It runs one at a time; five folders make five queues.
up() { for q in 0 1 2 3 4; do mkdir -p "$DIR/q$q"; done; }
submit() { NQDIR=$DIR/q$(($1 % 5)) nq -q "$WITNESS" "$1" "$2" >/dev/null; }
kill_it() { pkill -9 -x nq; }
restart() { :; }
records() { echo "$(cat "$DIR"/q*/,* | grep -c '\[exited with status 0\.\]') exited with status 0"; }
down() { :; }
