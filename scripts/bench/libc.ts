/**
 * The few system calls a stopwatch needs, by way of libc: spawning without a shell or a runtime in
 * between, waiting without an event loop, and looking at a port without holding it.
 *
 * Requires `--allow-ffi`. Linux with glibc only.
 *
 * @module
 */

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_LINGER = 13;
const POLLIN = 1;
const O_RDWR = 2;
const WNOHANG = 1;
const PR_SET_TIMERSLACK = 29;
const SPAWN_SETPGROUP = 2;
const SPAWN_SETSIGDEF = 4;
const SYS_PIDFD_OPEN = 434n;
const SIGKILL = 9;
const SIGPIPE = 13;

const c = Deno.dlopen("libc.so.6", {
  posix_spawnp: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_addopen: {
    parameters: ["buffer", "i32", "buffer", "i32", "u32"],
    result: "i32",
  },
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  posix_spawnattr_setpgroup: { parameters: ["buffer", "i32"], result: "i32" },
  posix_spawnattr_setsigdefault: { parameters: ["buffer", "buffer"], result: "i32" },
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  syscall: { parameters: ["i64", "i64", "i64"], result: "i64" },
  ppoll: { parameters: ["buffer", "u64", "buffer", "buffer"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  dup: { parameters: ["i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
}).symbols;

const encoder = new TextEncoder();
const text = (value: string): Uint8Array<ArrayBuffer> => encoder.encode(`${value}\0`);
const DEV_NULL = text("/dev/null");

// Without it the kernel rounds every short sleep up by 50 us.
c.prctl(PR_SET_TIMERSLACK, 1n, 0n, 0n, 0n);

/** Everything posix_spawn is told, built once: three times /dev/null, a group of its own. */
const fileActions = new Uint8Array(512);
const attributes = new Uint8Array(1024);
c.posix_spawn_file_actions_init(fileActions);
for (const fd of [0, 1, 2]) {
  c.posix_spawn_file_actions_addopen(fileActions, fd, DEV_NULL, O_RDWR, 0);
}
c.posix_spawnattr_init(attributes);
c.posix_spawnattr_setflags(attributes, SPAWN_SETPGROUP | SPAWN_SETSIGDEF);
// Deno ignores SIGPIPE, and what is ignored is inherited.
const defaults = new Uint8Array(128);
defaults[(SIGPIPE - 1) >> 3] = 1 << ((SIGPIPE - 1) & 7);
c.posix_spawnattr_setsigdefault(attributes, defaults);

/** A command line and its environment in the form `exec` wants, made before the clock runs. */
export interface Prepared {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly argv: Uint8Array<ArrayBuffer>;
  readonly envp: Uint8Array<ArrayBuffer>;
  /** What the pointers above point to; kept so that it is not collected. */
  readonly strings: readonly Uint8Array[];
}

/**
 * Prepares a command line.
 *
 * @param words The command and its arguments.
 * @param env Its whole environment.
 * @returns What `spawn` takes.
 */
export function prepare(words: readonly string[], env: Readonly<Record<string, string>>): Prepared {
  const args = words.map(text);
  const variables = Object.entries(env).map(([name, value]) => text(`${name}=${value}`));
  return {
    file: text(words[0]!),
    argv: pointersTo(args),
    envp: pointersTo(variables),
    strings: [...args, ...variables],
  };
}

function pointersTo(strings: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const pointers = new BigUint64Array(strings.length + 1);
  strings.forEach((string, i) => {
    pointers[i] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(string));
  });
  return new Uint8Array(pointers.buffer);
}

/**
 * Spawns a process with its input and output on /dev/null.
 *
 * @param prepared What to run.
 * @param group Group to join; 0 for one of its own.
 * @returns Its PID.
 * @throws {Error} If the system refuses.
 */
export function spawn(prepared: Prepared, group = 0): number {
  c.posix_spawnattr_setpgroup(attributes, group);
  const pid = new Int32Array(1);
  const { file, argv, envp } = prepared;
  const bytes = new Uint8Array(pid.buffer);
  const error = c.posix_spawnp(bytes, file, fileActions, attributes, argv, envp);
  if (error !== 0) {
    throw new Error(`Cannot run ${new TextDecoder().decode(file.slice(0, -1))}: errno ${error}`);
  }
  return pid[0]!;
}

/**
 * Reaps a child if it has ended.
 *
 * @param pid The child.
 * @returns Its exit code, 128 + n if signal n ended it; `null` while it runs.
 * @throws {Error} If it is no child, or was reaped before: its PID may be a stranger's by now.
 */
export function reap(pid: number): number | null {
  const status = new Int32Array(1);
  const reaped = c.waitpid(pid, new Uint8Array(status.buffer), WNOHANG);
  if (reaped === 0) return null;
  if (reaped !== pid) throw new Error(`Cannot wait for ${pid}: not a child that runs`);
  const signal = status[0]! & 0x7f;
  return signal === 0 ? (status[0]! >> 8) & 0xff : 128 + signal;
}

/**
 * Sends a signal to a child or, with a negative PID, to the group it leads.
 *
 * @param pid The child, not reaped yet, so that its PID is still its own.
 * @param signal Number of the signal.
 */
export function kill(pid: number, signal: number): void {
  if (!Number.isSafeInteger(pid) || Math.abs(pid) <= 1) throw new RangeError(`Bad PID: ${pid}`);
  c.kill(pid, signal);
}

/** Kills a child with everything in its group, for certain. */
export function killGroup(pid: number): void {
  kill(-pid, SIGKILL);
}

/**
 * Opens a descriptor that becomes readable when a child ends.
 *
 * @param pid The child.
 * @returns The descriptor, to be closed; -1 on a kernel before 5.3.
 */
export function openPidfd(pid: number): number {
  return Number(c.syscall(SYS_PIDFD_OPEN, BigInt(pid), 0n));
}

/** Closes a descriptor. */
export function close(fd: number): void {
  c.close(fd);
}

const pollfd = new DataView(new ArrayBuffer(8));
const timespec = new BigInt64Array(2);

/**
 * Sleeps until a descriptor is readable.
 *
 * @param fd The descriptor; -1 to sleep in any case.
 * @param micros How long at most, us.
 */
export function sleepOn(fd: number, micros: number): void {
  pollfd.setInt32(0, fd, true);
  pollfd.setInt32(4, POLLIN, true);
  timespec[0] = BigInt(Math.floor(micros / 1e6));
  timespec[1] = BigInt(Math.floor(micros % 1e6) * 1000);
  c.ppoll(
    new Uint8Array(pollfd.buffer),
    1n,
    new Uint8Array(timespec.buffer) as Uint8Array<ArrayBuffer>,
    null,
  );
}

function addressOf(host: readonly number[], port: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([AF_INET, 0, port >> 8, port & 0xff, ...host, 0, 0, 0, 0, 0, 0, 0, 0]);
}

const ON = new Uint8Array(new Int32Array([1]).buffer);
const RESET_ON_CLOSE = new Uint8Array(new Int32Array([1, 0]).buffer);

/**
 * Tells whether a server could bind a port now. The probe never listens, and while somebody else
 * does it binds nothing: neither the server nor the tool under test can notice it.
 *
 * @param port The port.
 * @returns `true` if a bind on all IPv4 addresses succeeded.
 */
export function isBindable(port: number): boolean {
  const fd = c.socket(AF_INET, SOCK_STREAM, 0);
  c.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ON, 4);
  const bound = c.bind(fd, addressOf([0, 0, 0, 0], port), 16) === 0;
  c.close(fd);
  return bound;
}

const REQUEST = encoder.encode("GET / HTTP/1.0\r\n\r\n");
const reply = new Uint8Array(64);

/**
 * Tells whether a server on 127.0.0.1 answers. An accepted connection is not enough: it may be to a
 * listen probe, which resets it.
 *
 * @param port The port.
 * @returns `true` if a byte came back.
 */
export function answers(port: number): boolean {
  const fd = c.socket(AF_INET, SOCK_STREAM, 0);
  // No TIME_WAIT is left behind, which could hinder the next server on the port.
  c.setsockopt(fd, SOL_SOCKET, SO_LINGER, RESET_ON_CLOSE, 8);
  try {
    if (c.connect(fd, addressOf([127, 0, 0, 1], port), 16) !== 0) return false;
    if (c.send(fd, REQUEST, BigInt(REQUEST.length), 0x4000) < 0n) return false;
    sleepOn(fd, 1e6);
    return c.recv(fd, reply, BigInt(reply.length), 0x40) > 0n;
  } finally {
    c.close(fd);
  }
}

/**
 * Opens descriptors that children inherit.
 *
 * @param count How many.
 * @returns The descriptors, to be closed.
 */
export function openInheritable(count: number): number[] {
  const first = c.open(DEV_NULL, O_RDWR);
  return [first, ...Array.from({ length: count - 1 }, () => c.dup(first))];
}
