export TS_SOCKET=$DIR/socket TMPDIR=$DIR
up() { tsp -S 5; }
submit() { tsp -n "$WITNESS" "$1" "$2" >/dev/null; }
kill_it() { kill -9 "$(pgrep -f '^tsp -S 5$' | tail -n 1)"; }
restart() { rm -f "$TS_SOCKET"; tsp -S 5; }
records() { tsp -l | awk 'NR > 1 { n[$2]++ } END { for (s in n) printf "%d %s ", n[s], s; if (NR < 2) print "none" }'; }
down() { tsp -K; }
