import { assertEquals } from "@std/assert";
import { originOf, type ProcessContext } from "../lib/origin.ts";
import type { ProcessRow } from "../lib/process_row.ts";

function row(command: string, pid = 12): ProcessRow {
  const ids = { pid, ppid: 1, pgid: pid, sid: pid, startTime: "1" };
  return { ...ids, state: "running", name: "x", command, user: null };
}

const NOTHING: ProcessContext = { ancestors: [], cgroup: null, marker: null, cwd: null };

const TABLE: [
  what: string,
  command: string,
  context: Partial<ProcessContext>,
  note: string | null,
][] = [
  ["nothing known", "python3 -m http.server", {}, null],
  [
    "systemd",
    "nginx: master process",
    { cgroup: "0::/system.slice/nginx.service" },
    "the systemd unit nginx.service: systemctl stop nginx.service",
  ],
  [
    "systemd of a user",
    "gunicorn",
    { cgroup: "0::/user.slice/user-1000.slice/user@1000.service/app.slice/api.service" },
    "the systemd unit api.service: systemctl --user stop api.service",
  ],
  [
    "a login session",
    "python3",
    { cgroup: "0::/user.slice/user-1000.slice/session-2.scope" },
    null,
  ],
  [
    "a desktop terminal",
    "python3",
    { cgroup: "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-term.scope" },
    null,
  ],
  [
    "pm2",
    "node /srv/api.js",
    { ancestors: [row("PM2 v7.0.4: God Daemon (/root/.pm2)")] },
    "pm2, which restarts it: pm2 list, then pm2 stop <name>",
  ],
  [
    "nodemon",
    "node server.js",
    { ancestors: [row("node /usr/bin/nodemon server.js")] },
    "nodemon, which restarts it: press Ctrl+C in its terminal",
  ],
  [
    "vite",
    "node /app/node_modules/.bin/vite --port 8001",
    {},
    "vite's development server: press q or Ctrl+C in its terminal",
  ],
  [
    "another checkout",
    "python3 -m uvicorn",
    { marker: "8001:300:42", cwd: "/home/ann/api" },
    "a start_server with another PID directory (supervisor PID 300 in /home/ann/api): " +
    "run stop_server with its --pid-dir",
  ],
];

for (const [what, command, context, note] of TABLE) {
  Deno.test(`originOf() tells ${what}`, { permissions: "none" }, () => {
    const expected = note === null ? null : `PID 12 belongs to ${note}`;

    assertEquals(originOf(row(command), { ...NOTHING, ...context }), expected);
  });
}
