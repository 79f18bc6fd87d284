# The list is kept in a file, and what has ended in a log (--resume).
up() { :; }
submit() {
    echo "$1 $2" >>"$DIR/list"
    [ "$1" = 55 ] && restart
    return 0
}
kill_it() { kill -9 "$(cat "$DIR/pid")"; }
restart() {
    parallel --will-cite --resume --joblog "$DIR/joblog" -j 5 --colsep ' ' "$WITNESS" '{1}' '{2}' <"$DIR/list" >/dev/null 2>&1 &
    echo $! >"$DIR/pid"
}
records() { echo "$(tail -n +2 "$DIR/joblog" | wc -l) in the log"; }
down() { kill "$(cat "$DIR/pid")" 2>/dev/null; }
