import type { Readable } from 'node:stream';

/** A file of a set, on its way from the host. Read its content to the end before the next file. */
export interface IncomingFile {
  /** Bare. */
  name: string;
  bytes: number;
  content: Readable;
}
