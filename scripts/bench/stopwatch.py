"""The stopwatch: spawns commands without a shell, and looks at ports without holding them.

Reads a request a line from stdin, as JSON, and answers each in a line. Whatever it has spawned ends with
it, also if the bench is killed: then stdin ends.
"""

import json
import os
import random
import select
import signal
import socket
import sys
import time

LOOK_EVERY_S = 0.0001  # fine enough for tenths of a ms, coarse enough to disturb little
DEADLINE_S = 60
NULL = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
DEFAULTS = [signal.SIGPIPE, signal.SIGINT]

running = []
crowd = []
port = random.randrange(15_000, 23_000)


def spawn(argv, group=0):
    return os.posix_spawnp(
        argv[0], argv, os.environ, file_actions=NULL, setpgroup=group, setsigdef=DEFAULTS
    )


def code_of(pid):
    """Reaps a child that has ended; None while it runs."""
    reaped, status = os.waitpid(pid, os.WNOHANG)
    if reaped == 0:
        return None
    running.remove(pid)
    return os.waitstatus_to_exitcode(status)


def is_bindable(number):
    """Whether a server could bind a port. A bind that does not listen leaves no trace."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", number))
            return True
        except OSError:
            return False


def answers(number):
    """Whether a byte comes back. A connection is not enough: it may be to a listen probe."""
    with socket.socket() as client:
        # Reset on close: no TIME_WAIT is left, which could hinder the next server on the port.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.settimeout(1)
        try:
            client.connect(("127.0.0.1", number))
            client.send(b"GET / HTTP/1.0\r\n\r\n")
            return client.recv(1) != b""
        except OSError:
            return False


def is_ready(lock):
    return os.path.exists(lock) and '"state":"ready"' in open(lock).read()


def wait(condition, seconds=DEADLINE_S):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("waited in vain")
        time.sleep(0.001)


def run(argv, free=None, answer=None, ending=None, leave=False):
    """Times a command: until it ends, and until a port is free or answers; ms.

    `ending` is a child that should end meanwhile. It is reaped at once, as by any parent: some tools
    take a zombie for alive. With `leave` the command itself is left running.
    """
    begun = time.perf_counter()
    running.append(pid := spawn(argv))
    told = {"pid": pid, "exit": None, "port": None, "code": None}
    is_watched = free is not None or answer is not None
    pidfd = os.pidfd_open(pid)
    while told["exit"] is None or (is_watched and told["port"] is None):
        if time.perf_counter() - begun > DEADLINE_S:
            raise TimeoutError("it took too long")
        if is_watched and told["port"] is None:
            if is_bindable(free) if free is not None else answers(answer):
                told["port"] = (time.perf_counter() - begun) * 1000
        if leave and told["port"] is not None:
            break
        if ending is not None and code_of(ending) is not None:
            ending = None
        is_calm = ending is None and (told["port"] is not None or not is_watched)
        select.select([pidfd] if told["exit"] is None else [], [], [], 1 if is_calm else LOOK_EVERY_S)
        if told["exit"] is None:
            told["code"] = code_of(pid)
            told["exit"] = told["code"] if told["code"] is None else (time.perf_counter() - begun) * 1000
    os.close(pidfd)
    if ending is not None:
        wait(lambda: code_of(ending) is not None)
    return told


def begin(argv, answer=None, lock=None):
    """Launches what answers on a port, or notes in a lock that it is ready, and waits for that."""
    running.append(pid := spawn(argv))
    wait(lambda: answers(answer) if lock is None else is_ready(lock))
    time.sleep(0.03)  # the machine calms down
    return pid


def end(pid):
    """Ends a child if it still runs."""
    if pid not in running or code_of(pid) is not None:
        return
    os.kill(pid, signal.SIGTERM)
    try:
        wait(lambda: code_of(pid) is not None, 8)
    except TimeoutError:
        os.killpg(pid, signal.SIGKILL)
        wait(lambda: code_of(pid) is not None)


def fresh_port():
    """A port that nobody has used for a while, below those that the kernel gives out by itself."""
    global port
    port = port + 1 if port < 32_000 else 15_000
    return port if is_bindable(port) else fresh_port()


def gather(count):
    """A busy machine: processes of one group that hold 20 files each and do nothing."""
    held = [os.dup(0) for _ in range(17)]
    for fd in held:
        os.set_inheritable(fd, True)
    for _ in range(count):
        crowd.append(spawn(["sleep", "900"], crowd[0] if crowd else 0))
    for fd in held:
        os.close(fd)


def disperse():
    if crowd:
        os.killpg(crowd[0], signal.SIGKILL)
    while crowd:  # the leader last: until it is reaped the group is still ours
        os.waitpid(crowd.pop(), 0)


signal.signal(signal.SIGINT, signal.SIG_IGN)
try:
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            told = {"value": globals()[name](**arguments)}
        except Exception as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)
finally:
    disperse()
    for one in reversed(running[:]):  # the newest first: a tool before its server
        end(one)
