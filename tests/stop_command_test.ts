import { assertEquals } from "@std/assert";
import { type Calling, stopCommandOf } from "../lib/stop_command.ts";

const CALLING: Calling = {
  programPath: "/home/ann/tool/start_server.ts",
  isBinary: false,
  isAtHome: false,
  isBun: false,
  isNpx: false,
  port: 8001,
  pidDir: null,
};

const TABLE: [what: string, calling: Partial<Calling>, command: string][] = [
  ["the sources", {}, "deno run -A /home/ann/tool/stop_server.ts --port 8001"],
  ["deno task", { isAtHome: true }, "deno task stop --port 8001"],
  ["npx", { isAtHome: true, isNpx: true }, "npx --yes deno task stop --port 8001"],
  [
    "a PID directory",
    { isAtHome: true, pidDir: "/run/x" },
    "deno task stop --port 8001 --pid-dir /run/x",
  ],
  [
    "a blank in it",
    { pidDir: "/my dir" },
    'deno run -A /home/ann/tool/stop_server.ts --port 8001 --pid-dir "/my dir"',
  ],
  [
    "a binary",
    { isBinary: true, programPath: "/opt/start_server" },
    "/opt/stop_server --port 8001",
  ],
  [
    "a Windows binary",
    { isBinary: true, programPath: "C:\\x\\start_server.exe" },
    "C:\\x\\stop_server.exe --port 8001",
  ],
  ["Bun", { isBun: true, programPath: "/d/start_server.js" }, "bun /d/stop_server.js --port 8001"],
];

for (const [what, calling, command] of TABLE) {
  Deno.test(`stopCommandOf() names what works with ${what}`, { permissions: "none" }, () => {
    assertEquals(stopCommandOf({ ...CALLING, ...calling }), command);
  });
}
