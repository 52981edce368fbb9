import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ProcessContext, ProcessRow } from "../../lib/platform/types.ts";
import { isShell, originOf, protectionOf, restarterAmong } from "../../lib/port/origin.ts";
import { proc } from "../process/fake_platform.ts";

const PURE = { permissions: "none" } as const;
const NOTHING: ProcessContext = { ancestors: [], cgroup: null, cwd: null };
const VM = "ssh: /root/.lima/default/ssh.sock [mux]";
const LSASS = "C:\\Windows\\system32\\lsass.exe";

function row(command: string, name = command.split(" ")[0]!.replace(/^.*\//, "")): ProcessRow {
  return proc(4000, { ppid: 300, command, name });
}

/** A part of why a process is never signalled; `null` if it may be. */
const PROTECTED: [
  what: string,
  row: Partial<ProcessRow>,
  reason: string | null,
  context?: Partial<ProcessContext>,
][] = [
  ["an ordinary server", {}, null],
  ["a server whose parent is gone", { ppid: 1 }, null],
  ["PID 2, as in a container", { pid: 2 }, null],
  ["PID 1", { pid: 1 }, "it is the system's first process"],
  ["PID 0", { pid: 0 }, "it is the system's first process"],
  ["Windows's kernel", { pid: 4, name: "System" }, "the Windows kernel (http.sys)"],
  ["PID 4 of another system", { pid: 4 }, null],
  ["another program of that name", { name: "System" }, null],
  ["an ancestor of this command", { pid: 9001 }, "it runs this very command"],
  ["a kernel thread", { ppid: 2, name: "nfsd", command: "[nfsd]" }, "a thread of the kernel"],
  ["a child of PID 2 with a command line", { ppid: 2, name: "nginx", command: "nginx: w" }, null],
  ["one in brackets with another parent", { ppid: 3, name: "odd", command: "[odd]" }, null],
  ["one in other brackets", { ppid: 2, name: "odd", command: "[even]" }, null],
  ["a name that only ends as a proxy's", { name: "my-docker-proxy" }, null],
  ["words that speak of proxies", { command: "python3 docker-proxy.py --conmon" }, null],
  ["an ssh session that forwards", { name: "sshd-session" }, "close that session"],
  ["a virtual machine's ssh", { name: "ssh", command: VM }, "of a virtual machine"],
  [
    "an ssh below limactl",
    { name: "ssh.exe", command: "ssh" },
    "of a virtual machine",
    { ancestors: [row("limactl hostagent colima", "x")] },
  ],
  ["an ssh of the user's", { name: "ssh", command: "ssh -L 8001:localhost:80 host" }, null],
  ["words that speak of colima", { command: "node colima.js" }, null],
  ["systemd", { name: "systemd" }, "systemctl --user list-sockets"],
  ["launchd", { name: "launchd" }, "it is a service of the system"],
  ["a host of Windows's services", { name: "svchost.exe" }, "it is a service of the system"],
  ["a name that begins as systemd's", { name: "systemd-helper" }, null],
  [
    "AirPlay",
    { ppid: 1, command: "/System/Library/CoreServices/ControlCenter.app/x" },
    "AirPlay Receiver",
  ],
  [
    "a service of Homebrew",
    { ppid: 1, command: "/opt/homebrew/opt/redis/bin/redis-server 127.0.0.1:6379" },
    "brew services stop redis",
  ],
  [
    "Homebrew's program in a terminal",
    { command: "/opt/homebrew/opt/redis/bin/redis-server" },
    null,
  ],
  [
    "Windows's own, with its path",
    { name: "lsass.exe", command: LSASS },
    "a service of the system",
  ],
  ["a namesake elsewhere", { name: "services.exe", command: "C:\\dev\\services.exe" }, null],
  ["a service of macOS", { ppid: 1, command: "/usr/libexec/rapportd" }, "it belongs to macOS"],
  ["a program of macOS that the user runs", { command: "/usr/libexec/x" }, null],
];

for (const [what, change, reason, context = {}] of PROTECTED) {
  Deno.test(
    `protectionOf() ${reason === null ? "lets be signalled" : "protects"}: ${what}`,
    PURE,
    () => {
      const process = { ...row("python3 -m uvicorn"), ...change };

      const found = protectionOf(process, 8001, new Set([9000, 9001]), { ...NOTHING, ...context });

      if (reason === null) assertEquals(found, null);
      else assertStringIncludes(found ?? "", reason);
    },
  );
}

Deno.test(
  "protectionOf() protects what holds a port for a container, with what helps",
  PURE,
  () => {
    const names = [
      ...["docker-proxy", "com.docker.backend", "com.docker.backend.exe", "rootlessport"],
      ...["rootlesskit", "slirp4netns", "pasta", "pasta.avx2", "gvproxy", "vpnkit", "OrbStack"],
      ...["OrbStack Helper", "limactl", "colima", "wslrelay.exe", "wslhost.exe", "conmon"],
    ];
    for (const name of names) {
      const reason = protectionOf({ ...row("x"), name }, 8001, new Set(), null) ?? "";
      assertStringIncludes(reason, "docker ps --filter publish=8001", name);
      assertStringIncludes(reason, "docker stop");
    }
  },
);

const PM2 = "PM2 v7.0.4: God Daemon (/root/.pm2)";

/** What a listener belongs to. */
const ORIGINS: [
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
  ["a login session", "python3", { cgroup: "0::/user.slice/user-1.slice/session-2.scope" }, null],
  [
    "a desktop terminal",
    "python3",
    { cgroup: "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-term.scope" },
    null,
  ],
  [
    "pm2",
    "node /srv/api.js",
    { ancestors: [row("sh"), row(PM2)] },
    "pm2, which restarts it: pm2 list, then pm2 stop <name>",
  ],
  [
    "nodemon",
    "node server.js",
    { ancestors: [row("node /usr/bin/nodemon server.js")] },
    "nodemon, which restarts it: press Ctrl+C in its terminal",
  ],
  [
    "supervisord",
    "gunicorn",
    { ancestors: [row("python supervisord -n")] },
    "supervisord, which restarts it: supervisorctl stop <name>",
  ],
  [
    "a Procfile runner",
    "ruby",
    { ancestors: [row("hivemind Procfile")] },
    "a Procfile runner: stop that in its terminal",
  ],
  [
    "a file watcher",
    "api",
    { ancestors: [row("watchexec -r api")] },
    "a file watcher, which restarts it: stop that in its terminal",
  ],
  [
    "vite",
    "node /app/node_modules/.bin/vite --port 8001",
    {},
    "vite's development server: press q or Ctrl+C in its terminal",
  ],
  ["Next.js", "next-server (v15)", {}, "Next.js: press Ctrl+C in its terminal"],
  [
    "who restarts it before what it is",
    "vite",
    { ancestors: [row(PM2)], cgroup: "0::/a.service" },
    "pm2, which restarts it: pm2 list, then pm2 stop <name>",
  ],
];

for (const [what, command, context, note] of ORIGINS) {
  Deno.test(`originOf() tells ${what}`, PURE, () => {
    const expected = note === null ? null : `PID 4000 belongs to ${note}`;

    assertEquals(originOf(row(command), { ...NOTHING, ...context }), expected);
  });
}

/** Commands of ancestors, the parent first, and which of them starts a server again. */
const RESTARTERS: [ancestors: string[], restarter: number | null][] = [
  [[], null],
  [["npm run dev", "bash"], null],
  [["node --watch server.js"], 0],
  [["npm run dev", "tsx watch server.ts"], 1],
  [["deno run --watch x.ts"], 0],
  [["bun --hot x.ts"], 0],
  [["node /usr/bin/nodemon x.js"], 0],
  [[PM2], 0],
  [["sh -c while true; do api; done"], 0],
  [["bash -lc for i in 1 2; do api; done"], 0],
  [["sh /srv/loop.sh"], 0],
  [["sh -c api --port 8001", "sh -c while :; do :; done"], null],
  [["-zsh", "node --watch x"], 1],
  [["watchman", "node server.js --no-watch"], null],
];

for (const [commands, restarter] of RESTARTERS) {
  Deno.test(`restarterAmong() of ${commands.join(" < ") || "nobody"}`, PURE, () => {
    const ancestors = commands.map((command) => row(command));

    assertEquals(restarterAmong(ancestors), restarter === null ? null : ancestors[restarter]);
  });
}

Deno.test("isShell() knows shells, a login shell too, and no other name", PURE, () => {
  for (const name of ["sh", "bash", "-bash", "zsh", "fish", "dash", "ksh", "csh", "tcsh"]) {
    assertEquals(isShell({ name }), true, name);
  }
  for (const name of ["ssh", "sshd", "shell", "bash2", "nu", ""]) {
    assertEquals(isShell({ name }), false, name);
  }
});
