/**
 * The rows of the table, with their targets. Pure.
 *
 * @module
 */

import { type FigureSource, type Row, RowMaker } from "./row_maker.ts";

/** What the rows depend on besides the figures. */
export interface RowOptions {
  /** Names of the rivals and how many times faster we must be. */
  readonly rivals: readonly { readonly name: string; readonly factor: number | null }[];
  /** Number of simultaneous starts. */
  readonly starts: number;
  /** Number of cores. */
  readonly cores: number;
  /** Seconds the idle supervisor was watched. */
  readonly idleSeconds: number;
}

/**
 * Makes the rows.
 *
 * @param source The figures.
 * @param options What was run.
 * @returns The rows, in the order of the targets; without those that were not asked for.
 */
export function makeRows(source: FigureSource, options: RowOptions): Row[] {
  const maker = new RowMaker(source);
  const { starts, cores, idleSeconds } = options;
  const bare = "idle/bare start/port";
  maker.info("empty deno run (E)", "idle/E/exit");
  maker.info("the server's own shutdown (S)", "idle/S/port");
  maker.inE("stop: port free", 1.3, "idle/stop/port", "idle/S/port", " + S");
  maker.inE("stop: verified, exited", 1.5, "idle/stop/exit", "idle/S/port", " + S");
  maker.times("stop in a crowd: port free", 1.15, "load/stop/port", ["idle/stop/port"], "idle");
  maker.times("stop in a crowd: exited", 1.15, "load/stop/exit", ["idle/stop/exit"], "idle");
  for (const { name, factor } of options.rivals) {
    maker.faster(`${name}: port free`, factor, `idle/${name}/port`, "idle/stop/port");
  }
  for (const { name } of options.rivals) {
    maker.faster(
      `${name} in a crowd: port free`,
      null,
      `load/${name}/port`,
      "load/stop/port",
    );
  }
  maker.early("stop: exits before the port is free", true, "stop");
  for (const { name } of options.rivals) {
    maker.early(`${name}: exits before the port is free`, false, name);
  }
  maker.inE("start: first answer, beyond the bare server", 1.25, "idle/start/port", bare, "");
  maker.overhead(0.5);
  maker.inE("refusal of a second start", 1.6, "idle/refusal/exit");
  maker.inE("status of a managed port", 1.4, "idle/status/exit");
  for (const [phase, when] of [["idle", ""], ["load", " in a crowd"]] as const) {
    const peers = [`${phase}/lsof/exit`, `${phase}/E/exit`];
    maker.times(
      `foreign listener stopped${when}: exited`,
      0.75,
      `${phase}/foreign/exit`,
      peers,
      "(lsof + E)",
    );
  }
  maker.inE("detach: return, beyond the bare server", 2.5, "idle/detach/exit", bare, "");
  maker.amount(`supervisor idle: CPU ticks in ${idleSeconds} s`, 0, "supervisor/idle/ticks", "");
  maker.amount("supervisor idle: PSS", 36, "supervisor/idle/pss", " MiB");
  maker.race(starts, cores);
  maker.inE("module load: start_server --version", 1.35, "idle/version start/exit");
  maker.inE("module load: stop_server --version", 1.35, "idle/version stop/exit");
  maker.amount("modules of node: in the static graph", 0, "modules/graph/node", "");
  const least = "the least program:";
  maker.inE(`${least} stop, port free`, null, "idle/least stop/port", "idle/S/port", " + S");
  maker.inE(`${least} stop, exited`, null, "idle/least stop/exit", "idle/S/port", " + S");
  maker.inE(`${least} start, first answer`, null, "idle/least start/port", bare);
  maker.inE(`${least} refusal`, null, "idle/least refusal/exit");
  maker.inE(`${least} status`, null, "idle/least status/exit");
  return maker.rows;
}
