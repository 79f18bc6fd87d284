# There is no daemon and nothing to go on with: the list is lost.
up() { mkfifo "$DIR/list"; xargs -P 5 -L 1 "$WITNESS" <"$DIR/list" & echo $! >"$DIR/pid"; exec 9>"$DIR/list"; }
submit() { echo "$1 $2" >&9; }
kill_it() { exec 9>&-; kill -9 "$(cat "$DIR/pid")"; }
restart() { :; }
records() { echo "none"; }
down() { :; }
