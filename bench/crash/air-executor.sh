export AIR_EXECUTOR_BASE_PATH=$DIR/base
up() {
    mkdir -p "$DIR/base"
    echo 'max_concurrent_runners: 5' >"$DIR/base/config.yaml"
    restart
}
submit() { "$AIR_EXECUTOR" enqueue --quiet --job "task-$1" -- "$WITNESS" "$1" "$2"; }
kill_it() { kill -9 "$(sed 's/.* //' "$DIR/base/manager.lock")"; }
restart() { "$AIR_EXECUTOR" start >/dev/null; }
records() { "$AIR_EXECUTOR" status --json | grep -o '"state": "[a-z]*"' | sort | uniq -c | tr -s ' \n' ' '; }
down() { "$AIR_EXECUTOR" stop --kill >/dev/null; }
