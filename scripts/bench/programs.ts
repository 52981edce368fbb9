/**
 * What is measured: the programs, the least program, the rivals, and the server they start and stop.
 *
 * @module
 */

/** Command lines of a start, a refusal, a stop and a status. */
export interface Programs {
  readonly start: (port: number, ...options: string[]) => string[];
  readonly stop: (port: number) => string[];
  readonly status: (port: number) => string[];
}

/** A way to free a port. */
export interface Rival {
  readonly name: string;
  readonly command: (port: number) => string[];
  /** How many times faster our stop must be; `null` where no target is set. */
  readonly factor: number | null;
  /** Why it cannot be run here, or `null`. */
  readonly missing: string | null;
}

/** All that is measured, and what it needs. */
export interface Means {
  readonly ours: Programs;
  /** Our programs, asked about all ports. */
  readonly all: (program: "stop" | "status", ...options: string[]) => string[];
  /** The least that does the job. */
  readonly least: Programs;
  /** The programs of another checkout. */
  readonly beside: Programs | null;
  readonly rivals: readonly Rival[];
  /** Deno with nothing to do. */
  readonly empty: readonly string[];
  readonly server: (port: number) => string[];
  readonly lockOf: (port: number) => string;
}

export const PYTHON = "/usr/bin/python3";

const DENO = Deno.execPath();
const FIXTURES = `${import.meta.dirname}/fixtures`;

/** Builds and finds everything; `temp` is a folder of this run. */
export async function findMeans(
  temp: string,
  { ours, beside }: { readonly ours: boolean; readonly beside: string | null },
): Promise<Means> {
  await Deno.writeTextFile(`${temp}/empty.ts`, "");
  const server = await buildServer(temp);
  const lockOf = (port: number) => `${temp}/.server_${port}.lock`;
  const root = `${import.meta.dirname}/../..`;
  return {
    ours: programsOf(root, temp, server),
    all: (program, ...options) => programOf(root, temp, program, "--all", ...options),
    least: leastPrograms(lockOf, server),
    beside: beside === null ? null : programsOf(beside, temp, server),
    rivals: ours ? [] : await findRivals(),
    empty: [DENO, "run", "-A", `${temp}/empty.ts`],
    ...{ server, lockOf },
  };
}

function programOf(root: string, pidDir: string, program: string, ...args: string[]): string[] {
  const path = `${root}/${program === "status" ? "scripts/" : ""}${program}_server.ts`;
  return [DENO, "run", "-A", path, "--pid-dir", pidDir, ...args];
}

function programsOf(root: string, pidDir: string, server: Means["server"]): Programs {
  const on = (program: string, port: number, ...args: string[]) =>
    programOf(root, pidDir, program, "--port", String(port), ...args);
  return {
    start: (port, ...options) => on("start", port, ...options, "--", ...server(port)),
    stop: (port) => on("stop", port),
    status: (port) => on("status", port),
  };
}

function leastPrograms(lockOf: Means["lockOf"], server: Means["server"]): Programs {
  const run = (what: string, port: number, ...args: string[]) => [
    ...[DENO, "run", "-A", `${FIXTURES}/least.ts`, what, lockOf(port)],
    ...args,
  ];
  return {
    start: (port) => run("start", port, String(port), ...server(port)),
    stop: (port) => run("stop", port),
    status: (port) => run("status", port),
  };
}

/** With gcc a minimal server in C, else Python's. */
async function buildServer(temp: string): Promise<Means["server"]> {
  const binary = `${temp}/server`;
  const failure = await failureOf("gcc", "-O2", "-o", binary, `${FIXTURES}/server.c`);
  return (port) =>
    failure === null ? [binary, String(port)] : [PYTHON, "-m", "http.server", String(port)];
}

/** Finds the rivals; those from npm are kept in the cache folder from run to run. */
async function findRivals(): Promise<Rival[]> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  const folder = `${cache}/start_server_bench`;
  const bin = `${folder}/node_modules/.bin`;
  const packages = ["kill-port@2.0.1", "fkill-cli@9.0.0"];
  const npm = await failureOf(`${bin}/fkill`, "--version") &&
    await failureOf("npm", "install", "--no-audit", "--prefix", folder, ...packages);
  const psutil = await failureOf(PYTHON, "-c", "import psutil");
  const [fuser, lsof] = [await failureOf("fuser", "-V"), await failureOf("lsof", "-v")];
  const rival = (
    name: string,
    factor: number | null,
    missing: string | null,
    command: Rival["command"],
  ): Rival => ({ name, factor, missing, command });
  return [
    rival("psutil", 1.3, psutil, (port) => [PYTHON, `${FIXTURES}/stop.py`, String(port)]),
    rival("kill-port", 4, npm, (port) => [`${bin}/kill-port`, String(port)]),
    rival("fkill", 10, npm, (port) => [`${bin}/fkill`, `:${port}`]),
    rival("fuser -k", null, fuser, (port) => ["fuser", "-k", `${port}/tcp`]),
    // With the filter that most who write this forget: without it lsof names the clients, too.
    rival("kill $(lsof)", null, lsof, (port) => [
      ...["sh", "-c"],
      `kill $(lsof -nP -iTCP:${port} -sTCP:LISTEN -t)`,
    ]),
  ];
}

/** Runs a helper that nobody times; why it failed, or `null`. */
async function failureOf(command: string, ...args: string[]): Promise<string | null> {
  try {
    const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
    const { success, code } = await new Deno.Command(command, options).output();
    return success ? null : `${command}: exit code ${code}`;
  } catch {
    return `${command} is not installed`;
  }
}
