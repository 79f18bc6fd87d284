conf=$DIR/pueue.yml
up() {
    printf 'shared:\n  pueue_directory: %s\n  runtime_directory: %s\n  use_unix_socket: true\n  unix_socket_path: %s/socket\nclient: {}\ndaemon:\n  default_parallel_tasks: 5\nprofiles: {}\n' "$DIR" "$DIR" "$DIR" >"$conf"
    restart
    pueue -c "$conf" parallel 5 >/dev/null
}
submit() { pueue -c "$conf" add -- "$WITNESS" "$1" "$2" >/dev/null; }
kill_it() { pkill -9 -x pueued; }
restart() {
    pueued -c "$conf" -d >/dev/null 2>&1
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        pueue -c "$conf" status >/dev/null 2>&1 && return
        sleep 0.2
    done
}
records() { pueue -c "$conf" status --json | grep -oE '"(Queued|Running|Success|Killed|Failed|Paused)"' | sort | uniq -c | tr -s ' \n"' ' '; }
down() { pueue -c "$conf" shutdown >/dev/null 2>&1; }
