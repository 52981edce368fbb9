/**
 * Makes the recordings of terminals that the pages show, and compares them with what they show.
 *
 * @module
 */

import {
  isListening,
  killed,
  Running,
  type RunOptions,
  serverCommand,
  SERVERS,
  waitUntil,
} from "../e2e/harness.ts";
import { asNobody, NOBODY } from "../e2e/other_user.ts";
import { join } from "@std/path/join";
import type { Product } from "./pages.ts";

/** The port that recordings show. */
export const SHOWN_PORT = 8001;

/** What a recording needs before its first command. */
export interface Stage {
  readonly product: Product;
  readonly port: number;
  /** Takes what is to be ended afterwards. */
  readonly keep: (running: Running) => void;
}

/** A server as a user may have it; it says what it is asked. */
export const SERVER = `console.log("Connected to the database");
require("node:http").createServer((request, response) => {
  console.log(request.method, request.url);
  response.end("hello\\n");
}).listen(process.env.PORT, process.env.HOST);
`;

/** What happens before each recording, by its name; nothing but `server.js` for those not listed. */
export const STAGES: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  refusal: startInBackground,
  restart: startInBackground,
  async daily(stage) {
    await startInBackground(stage);
    await (await fetch(`http://localhost:${stage.port}/stocks`)).text();
  },
  async orphan(stage) {
    await startInBackground(stage);
    const record = JSON.parse(Deno.readTextFileSync(stage.product.path(stage.port, "lock")));
    await killed(record.supervisorPid);
  },
  async stale({ product, port }) {
    const dead = new Deno.Command("true").spawn();
    await dead.status;
    Deno.writeTextFileSync(product.path(port, "pid"), `${dead.pid}\n`);
  },
  async multiple({ port, keep }) {
    for (let i = 0; i < 3; i++) {
      const python = new Running([PYTHON, "reuse_port.py", String(port)], { cwd: SERVERS });
      keep(python);
      await python.waitFor("listening");
    }
  },
  async foreign({ port, keep }) {
    keep(new Running([PYTHON, "-m", "http.server", String(port)]));
    await waitUntil(() => isListening(port), "the listener");
  },
  async denied({ product, port, keep }) {
    keep(new Running(serverCommand("http.ts", String(port))));
    await waitUntil(() => isListening(port), "the listener");
    product.giveTo(NOBODY);
  },
};

const PYTHON = "/usr/bin/python3";

/** In a session of its own, for its Ctrl+C. */
const AS_SELF: RunOptions = { prefix: ["setsid"] };

async function startInBackground({ product, port }: Stage): Promise<void> {
  const command = "deno task --quiet start --detach -- node server.js";
  const started = new Running(command.split(" "), {
    cwd: product.dir,
    env: { ...product.env, SERVER_PORT: String(port) },
  });
  await started.finished();
}

/**
 * Runs the commands of a block, the lines that begin with `$ `, and returns what a terminal shows, with
 * short paths and without Deno's own line about the task. One whose lines have `^C` is ended by that.
 */
export async function record(
  block: string,
  { product, port }: Stage,
  user: "self" | "nobody",
): Promise<string> {
  const shown: string[] = [];
  let code = 0;
  for (const part of block.split(/^(?=\$ )/m)) {
    const command = part.slice(2).split("\n")[0]!;
    let output = `${code}\n`;
    if (command !== "echo $?") {
      const { env, ...options } = user === "self" ? AS_SELF : asNobody(product.dir);
      await using running = new Running(["sh", "-c", `exec 2>&1; exec ${command}`], {
        ...options,
        cwd: product.dir,
        env: { ...product.env, ...env, SERVER_PORT: String(port) },
      });
      if (part.includes("^C")) {
        await running.waitFor(/Stop it.*\n/);
        const before = running.stdout.length;
        Deno.kill(-running.pid, "SIGINT");
        code = (await running.finished()).code;
        output = `${running.stdout.slice(0, before)}^C${running.stdout.slice(before)}`;
      } else {
        code = (await running.finished()).code;
        output = running.stdout;
      }
    }
    shown.push(`$ ${command}\n${shorten(output, product, port)}`);
  }
  return shown.join("");
}

function shorten(text: string, product: Product, port: number): string {
  const denos = [product.deno, Deno.execPath(), join(product.bin, "deno")];
  return denos.reduce((shown, deno) => shown.replaceAll(deno, "deno"), text)
    .replaceAll(product.dir, "~/backend")
    .replaceAll(/(?<=Network: http:\/\/)[\d.]+/g, "192.0.2.2")
    .replaceAll(/^Task \w+ .*\n/gm, "")
    .replaceAll(/\d+/g, (digits) => {
      const isNear = Number(digits) === port || Number(digits) === port + 1;
      return isNear ? String(SHOWN_PORT + Number(digits) - port) : digits;
    })
    .replaceAll(/[ \t]+$/gm, "");
}

/**
 * Takes out of a recording what differs from run to run and from machine to machine: numbers, the width
 * of columns, and the address in the network.
 */
export function comparable(text: string): string {
  return text.replaceAll(/^ +Network: .*\n/gm, "").split("\n").map((line) =>
    line.startsWith("$ ") || /^\d+$/.test(line)
      ? line
      : line.replaceAll(String(SHOWN_PORT), "PORT").replaceAll(/\d+(\.\d+)?/g, "N")
        // Where Node lies is its installer's choice.
        .replaceAll("/usr/local/bin/", "/usr/bin/")
        .replaceAll(/ +/g, " ")
  ).join("\n").replaceAll(/^( +- )(PID N)/gm, "$1$2");
}
