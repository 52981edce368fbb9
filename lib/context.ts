/**
 * What every use case is given: the platform, and where its words go.
 *
 * @module
 */

import type { Platform } from "./platform/types.ts";

/** Where a program's words go. */
export interface Voice {
  /** Takes results. */
  readonly say: (text: string) => void;
  /** Takes warnings and errors. */
  readonly warn: (text: string) => void;
  /** Shows one line on a terminal that the next one replaces; an empty one takes it away. */
  readonly live: (text: string) => void;
}

/** The surroundings of a use case. */
export interface Context extends Voice {
  /** The platform. */
  readonly platform: Platform;
}
