import { assertEquals } from "@std/assert";
import { parseTable, statsOf, type TableRow } from "../../../lib/platform/windows/process.ts";

const BASE = 0x7f00_0000_0000n;

/** An entry of SYSTEM_PROCESS_INFORMATION with its name behind it, as the kernel lays it out. */
function entry(at: number, row: Partial<TableRow> & { threads?: number; last?: boolean }) {
  const { pid = 8, creator = 4, created = 1n, name = "", threads = 1, last = false } = row;
  const bytes = new Uint8Array(256 + name.length * 2);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, last ? 0 : bytes.length, true);
  view.setUint32(4, threads, true);
  view.setBigUint64(32, created, true);
  view.setBigUint64(40, 20_000_000n, true);
  view.setBigUint64(48, 5_000_000n, true);
  view.setUint16(56, name.length * 2, true);
  view.setBigUint64(64, name === "" ? 0n : BASE + BigInt(at + 256), true);
  view.setBigUint64(80, BigInt(pid), true);
  view.setBigUint64(88, BigInt(creator), true);
  view.setBigUint64(144, 4096n, true);
  [...name].forEach((letter, i) => view.setUint16(256 + i * 2, letter.charCodeAt(0), true));
  return [...bytes];
}

Deno.test("parseTable() reads all entries but the idle process and the dead", {
  permissions: "none",
}, () => {
  const bytes = [...entry(0, { pid: 0 }), ...entry(256, { pid: 6, threads: 0 })];
  bytes.push(...entry(bytes.length, { pid: 8, created: 133n, name: "bücher.exe" }));
  bytes.push(...entry(bytes.length, { pid: 12, creator: 8, last: true }));

  const rows = parseTable(Uint8Array.from(bytes), BASE);

  const usage = { memoryBytes: 4096, cpuSeconds: 2.5 };
  assertEquals(rows, [
    { pid: 8, creator: 4, created: 133n, name: "bücher.exe", ...usage },
    { pid: 12, creator: 8, created: 1n, name: "", ...usage },
  ]);
});

Deno.test("statsOf() takes for a parent who is there and not younger", {
  permissions: "none",
}, () => {
  const row = (pid: number, creator: number, created: bigint) => ({
    pid,
    creator,
    created,
    name: "",
    memoryBytes: 0,
    cpuSeconds: 0,
  });

  const stats = statsOf([row(8, 4, 5n), row(12, 8, 6n), row(16, 8, 4n), row(20, 8, 5n)]);

  assertEquals(stats.map(({ ppid }) => ppid), [0, 8, 0, 8]);
});
