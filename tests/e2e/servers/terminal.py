# Runs a command in a terminal of its own and types into it.
# Usage: terminal.py STEPS COMMAND...   STEPS is JSON: [["wait", text], ["type", text],
# ["press", key, text], ["job"], ["again", path], ["sleep", seconds], ["hangup"]]. "press" types a key
# every 1.2 s until the text is shown; "job" waits until a job of the shell's has the terminal, and runs;
# "again" removes a file and waits until it is there again. Prints what the terminal showed and, last,
# "EXIT <code>".
import json
import os
import pty
import select
import sys
import time

steps = json.loads(sys.argv[1])
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
seen = 0


def read(seconds):
    global shown
    if not select.select([master], [], [], seconds)[0]:
        return True
    try:
        data = os.read(master, 65536)
    except OSError:
        return False
    shown += data
    return bool(data)


def is_shown(text):
    return shown.find(text.encode(), seen) >= 0


def job_runs():
    job = os.tcgetpgrp(master)
    if job == pid:
        return False
    try:
        with open("/proc/%d/stat" % job) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "T"
    except OSError:
        return False


def wait(done, seconds):
    """Reads on until something is so; False if it is not in time."""
    until = time.time() + seconds
    while not done():
        if time.time() > until or not read(0.05):
            return False
    return True


def must(what, done):
    """The same, with all the time it takes; shows that it was not so."""
    global shown
    if wait(done, 45):
        return True
    shown += ("\nWAITED IN VAIN FOR %s\n" % what).encode()
    return False


for verb, *rest in steps:
    if verb == "wait":
        if must(rest[0], lambda: is_shown(rest[0])):
            seen = shown.find(rest[0].encode(), seen) + len(rest[0])
    elif verb == "press":
        for _ in range(40):
            os.write(master, rest[0].encode())
            if wait(lambda: is_shown(rest[1]), 1.2):
                break
    elif verb == "job":
        must("a job", job_runs)
    elif verb == "again":
        if os.path.exists(rest[0]):
            os.remove(rest[0])
        must(rest[0], lambda: os.path.exists(rest[0]))
    elif verb == "type":
        os.write(master, rest[0].encode())
    elif verb == "sleep":
        until = time.time() + rest[0]
        while time.time() < until and read(0.05):
            pass
    elif verb == "hangup":
        os.close(master)
        break
else:
    while read(20):
        pass
status = os.waitpid(pid, 0)[1]
sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
print("EXIT", os.waitstatus_to_exitcode(status))
