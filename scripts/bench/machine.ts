/**
 * What the figures were measured on.
 *
 * @module
 */

/** A machine, as far as it matters to figures. */
export interface Machine {
  /** Model of its processor. */
  readonly cpu: string;
  /** Number of cores. */
  readonly cores: number;
  /** Memory, GiB. */
  readonly memory: number;
  /** Kernel release. */
  readonly kernel: string;
  /** Version of Deno. */
  readonly deno: string;
}

/**
 * Looks at this machine.
 *
 * @returns What it is.
 */
export async function thisMachine(): Promise<Machine> {
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo");
  return {
    cpu: /^model name\s*: (.*)$/m.exec(cpuinfo)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memory: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
  };
}

/**
 * Describes a machine in a line.
 *
 * @param machine The machine.
 * @returns The line.
 */
export function describeMachine({ cpu, cores, memory, kernel, deno }: Machine): string {
  return `${cpu}, ${cores} cores, ${memory} GiB, Linux ${kernel}, Deno ${deno}`;
}
