cd "$DIR" || exit 1
up() {
    cat >witnessed.py <<'P'
import os, subprocess
from celery import Celery
app = Celery(broker="sqla+sqlite:///" + os.environ["DIR"] + "/celery.db")
@app.task(name="witness")
def task(n, seconds): subprocess.run([os.environ["WITNESS"], n, seconds], check=True)
P
    restart
}
submit() {
    echo "$1 $2" >>list
    [ "$1" = 55 ] && python3 -c 'import sys, witnessed; [witnessed.task.delay(*line.split()) for line in sys.stdin]' <list
    return 0
}
kill_it() { pkill -9 -f 'celery -A witnessed worker'; }
restart() { celery -A witnessed worker -c 5 --prefetch-multiplier 1 >>worker.log 2>&1 & sleep 2; }
records() { echo "none"; }
down() { pkill -9 -f 'celery -A witnessed worker'; }
