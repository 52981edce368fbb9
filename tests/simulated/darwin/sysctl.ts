/**
 * `sysctl` of macOS, for what tells one boot from another.
 *
 * @module
 */
import { bootTime, read } from "./machine.ts";
import type { Printed } from "./tool.ts";

/** Shows a value of the kernel. */
export function sysctl(args: readonly string[]): Printed {
  const [flag, name] = args;
  if (flag !== "-n" || args.length !== 2) return { code: 1, stdout: "" };
  if (name === "kern.bootsessionuuid") {
    return { code: 0, stdout: read("/proc/sys/kernel/random/boot_id").toUpperCase() };
  }
  if (name !== "kern.boottime") return { code: 1, stdout: "" };
  const seconds = bootTime();
  const words = new Date(seconds * 1000).toUTCString();
  return { code: 0, stdout: `{ sec = ${seconds}, usec = 118135 } ${words}\n` };
}
