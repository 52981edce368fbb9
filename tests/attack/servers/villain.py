"""A server that misbehaves on purpose. Usage: villain.py ROLE PORT [ARG...]"""
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time


def listen(port, option=socket.SO_REUSEADDR, mute=False, also=None):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, option, 1)
    if also is not None:
        s.setsockopt(socket.SOL_SOCKET, also, 1)
    s.bind(("127.0.0.1", port))
    s.listen(64)
    if not mute:
        print(f"listening {os.getpid()}\n", end="", flush=True)
    return s


def serve(s):
    while True:
        try:
            c = s.accept()[0]
        except OSError:
            return
        try:
            c.settimeout(1)
            c.recv(4096)
            c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nplain\n")
        except OSError:
            pass
        c.close()


def escape(clean):
    """Double-forks a sleeping child out of the session; says its PID."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print(f"escaped {os.getpid()}\n", end="", flush=True)
            os.execve("/bin/sleep", ["sleep", "1000"], {} if clean else dict(os.environ, LEFT="1"))
        os._exit(0)
    os.wait()


def plain(port, *_):
    serve(listen(port))


def mute(port):
    serve(listen(port, mute=True))


def slow(port, seconds):
    time.sleep(float(seconds))
    plain(port)


def silent(port):
    """Accepts in the backlog and never answers."""
    s = listen(port)
    while s:
        time.sleep(1000)


def family(port):
    """A listener, a child that sleeps, and one that left the session."""
    if os.fork() == 0:
        os.execv("/bin/sleep", ["sleep", "1000"])
    escape(False)
    plain(port)


def stubborn(port):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    plain(port)


def escape_clean(port):
    """What left the session, with a cleared environment, is the one that listens."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(sys.executable, [sys.executable, "-I", "-S", __file__, "plain", str(port)], {})
        os._exit(0)
    os.wait()
    time.sleep(1000)


def apart(port):
    """As turbo: the server is a child in a session of its own, and has a child there."""
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, "parent", str(port)], start_new_session=True
    )
    child.wait()


def parent(port):
    subprocess.Popen(["sleep", "1000"])
    plain(port)


def relay(port, file, how="child"):
    """A wrapper that passes SIGTERM on and waits: to its child, that in a session of its own, its shell
    as npm does, or a whole group as pnpm does."""
    words = [sys.executable, "-I", "-S", __file__, "careful", str(port), file]
    if how in ("shell", "group"):
        words = ["/bin/sh", "-c", " ".join(words) + "; :"]
    own_group = os.setpgrp if how == "group" else None
    child = subprocess.Popen(words, start_new_session=how == "session", preexec_fn=own_group)
    send = os.killpg if how == "group" else os.kill
    signal.signal(signal.SIGTERM, lambda *_: send(child.pid, signal.SIGTERM))
    signal.signal(signal.SIGINT, lambda *_: None)
    os._exit(child.wait())


def careful(port, file):
    """Notes each signal; needs a second for its clean-up, which a second signal cuts off."""
    s = listen(port)
    threading.Thread(target=serve, args=(s,), daemon=True).start()
    asked = []

    def note(text):
        with open(file, "a") as f:
            f.write(text + "\n")

    def ask(number, _):
        note(signal.Signals(number).name)
        asked.append(number)
        if len(asked) > 1:
            os._exit(9)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    while not asked:
        time.sleep(0.02)
    time.sleep(1)
    note("clean")
    os._exit(0)


def storm(port, seconds):
    """Spawns children that live a second and ignore SIGTERM, 50 a second, at most 300."""
    s = listen(port)
    threading.Thread(target=serve, args=(s,), daemon=True).start()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    until = time.time() + float(seconds)
    for _ in range(300):
        if time.time() > until:
            break
        if os.fork() == 0:
            s.close()
            time.sleep(1)
            os._exit(0)
        time.sleep(0.02)
    time.sleep(1000)


def hop(port):
    """Has a process that forks its successor and dies, in this session."""
    subprocess.Popen([sys.executable, "-I", "-S", __file__, "hopper", str(port)])
    plain(port)


def hop_away(port):
    """The same, each in a session of its own."""
    subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, "hopper", str(port), "away"],
        env=dict(os.environ, LEFT="1"),
    )
    plain(port)


def hopper(port, away=None):
    """Forks its successor and dies, 25 times a second, at most 200 generations."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(200):
        if os.fork() != 0:
            os._exit(0)
        if away:
            os.setsid()
        time.sleep(0.04)


def stopped(port):
    """Stops itself as soon as it listens."""
    s = listen(port)
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGSTOP)
    serve(s)


def zombies(port):
    """Never reaps its dead children."""
    for _ in range(20):
        if os.fork() == 0:
            os._exit(0)
    plain(port)


def becomes(port):
    """Execs into another program; the listening socket goes with it."""
    s = listen(port)
    time.sleep(0.3)
    os.set_inheritable(s.fileno(), True)
    os.execv("/bin/sleep", ["sleep", "1000"])


def reopen(port):
    """Closes its port for 30 ms, every 100 ms."""
    while True:
        s = listen(port)
        threading.Thread(target=serve, args=(s,), daemon=True).start()
        time.sleep(0.1)
        s.shutdown(socket.SHUT_RDWR)
        s.close()
        time.sleep(0.03)


def real_time_death(port):
    s = listen(port)
    threading.Thread(target=serve, args=(s,), daemon=True).start()
    time.sleep(0.4)
    os.kill(os.getpid(), 40)


def headless(port):
    """Its main thread exits; another one goes on listening."""
    threading.Thread(target=plain, args=(port,)).start()
    time.sleep(0.2)
    print("headless", flush=True)
    ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)


def respawn(port, delay):
    """Starts a listener again whenever it ends, at most 100 times."""
    print(f"respawner {os.getpid()}\n", end="", flush=True)
    for _ in range(100):
        subprocess.run([sys.executable, "-I", "-S", __file__, "plain", str(port)])
        time.sleep(float(delay))


def renamed(port, name):
    """Listens under another name."""
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)
    serve(listen(port, socket.SO_REUSEPORT))


def shared(port):
    serve(listen(port, socket.SO_REUSEPORT))


def both(port):
    """As a server that can be started again at once, and beside another."""
    serve(listen(port, socket.SO_REUSEPORT, also=socket.SO_REUSEADDR))


def runs(port, file, *command):
    """Listens, has a worker, and runs a command as its child; its result goes to a file."""
    s = listen(port)
    threading.Thread(target=serve, args=(s,), daemon=True).start()
    die_too = lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    worker = subprocess.Popen(["sleep", "1000"], preexec_fn=die_too)
    while not os.path.exists(file):
        time.sleep(0.02)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with open(file + ".tmp", "w") as f:
        f.write("%d\n%s" % (done.returncode, done.stdout.decode()))
    os.rename(file + ".tmp", file + ".done")
    worker.wait()
    time.sleep(1000)


def floods(port):
    """Fills its output for ever."""
    s = listen(port)
    threading.Thread(target=serve, args=(s,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: (open("goodbye", "w").close(), os._exit(0)))
    while True:
        os.write(1, b"x" * 4096)


globals()[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
