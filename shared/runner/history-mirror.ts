import type { WorkflowContext } from './context.ts';

export interface MirrorRequest {
  environment: string;
  kinds: readonly ('artifact' | 'cache')[];
  token: string | null;
  workflow: WorkflowContext;
}

export interface HistoryMirror {
  load(): Promise<{ texts: string[]; notices: string[]; needsRefresh: boolean }>;
  save(text: string, merge: (other: string) => string): Promise<{ notices: string[] }>;
}

/** Copies of the history off the host. Not built yet: nothing is stored, and nothing is found. */
export function historyMirror(_request: MirrorRequest): HistoryMirror {
  return { load: async () => ({ texts: [], notices: [], needsRefresh: false }), save: async () => ({ notices: [] }) };
}
