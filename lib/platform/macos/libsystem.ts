/**
 * What no tool of macOS tells or does, from the system's library. Where functions of it cannot be called
 * (no FFI in this runtime) nothing is told and nothing done.
 *
 * @module
 */

const SYMBOLS = {
  getsid: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64"], result: "i32" },
} as const;

/** Sets close-on-exec. In place of fcntl, whose third argument FFI passes in the wrong place on ARM. */
const FIOCLEX = 0x20006601n;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let library: Library | null | undefined;

function open(): Library | null {
  if (library !== undefined) return library;
  try {
    return library = Deno.dlopen("/usr/lib/libSystem.B.dylib", SYMBOLS).symbols;
  } catch {
    return library = null;
  }
}

/** The session of a process, which `ps` does not tell; `null` if it cannot be seen. See getsid(2). */
export function sessionOf(pid: number): number | null {
  const session = open()?.getsid(pid) ?? 0;
  return session > 0 ? session : null;
}

/** Keeps the descriptors that the caller left open from the programs that are started here. */
export function closeInheritedOnExec(): void {
  const symbols = open();
  if (symbols === null) return;
  for (const { name } of Deno.readDirSync("/dev/fd")) {
    const descriptor = Number(name);
    if (descriptor > 2) symbols.ioctl(descriptor, FIOCLEX);
  }
}
