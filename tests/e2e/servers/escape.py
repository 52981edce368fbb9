# Double-forks a child out of the session and waits. Usage: escape.py PORT
import os
import socket
import sys
import time

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(f"escaped {os.getpid()}\n", end="", flush=True)
        time.sleep(1000)
    os._exit(0)
os.wait()
time.sleep(1000)
