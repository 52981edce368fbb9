# Runs a command in a terminal of its own and types into it.
# Usage: terminal.py STEPS COMMAND...   STEPS is JSON: [["wait", text], ["type", text],
# ["sleep", seconds], ["hangup"]]. Prints what the terminal showed and, last, "EXIT <code>".
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


for verb, *rest in steps:
    if verb == "wait":
        until = time.time() + 15
        while shown.find(rest[0].encode(), seen) < 0 and time.time() < until:
            if not read(0.05):
                break
        seen = max(seen, shown.find(rest[0].encode(), seen) + len(rest[0]))
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
