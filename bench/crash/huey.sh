cd "$DIR" || exit 1
up() {
    cat >witnessed.py <<'P'
import os, subprocess
from huey import SqliteHuey
huey = SqliteHuey(filename=os.environ["DIR"] + "/huey.db", store_none=True)
@huey.task()
def task(n, seconds): subprocess.run([os.environ["WITNESS"], n, seconds], check=True)
P
    restart
}
submit() {
    echo "$1 $2" >>list
    [ "$1" = 55 ] && python3 -c 'import sys, witnessed; [witnessed.task(*line.split()) for line in sys.stdin]' <list
    return 0
}
kill_it() { pkill -9 -f 'huey_consumer.* witnessed.huey'; }
restart() { huey_consumer witnessed.huey -w 5 -k process >consumer.log 2>&1 & sleep 1; }
records() { python3 -c 'from witnessed import huey; print(len(huey), "pending", len(huey.all_results()), "results")'; }
down() { pkill -f 'huey_consumer.* witnessed.huey'; }
