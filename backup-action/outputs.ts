/** Every output, with the value it has if the action fails before setting it. */
export const noOutputs = () => ({
  status: 'failed' as 'succeeded' | 'incomplete' | 'failed',
  'backup-id': null as string | null,
  'backup-file': null as string | null,
  'manifest-file': null as string | null,
  'report-file': null as string | null,
  'size-bytes': null as number | null,
  sha256: null as string | null,
  md5: null as string | null,
  tiers: null as string | null,
  kept: null as number | null,
  deleted: null as number | null,
  'duration-ms': null as number | null,
  's3-uri': null as string | null,
  release: null as string | null,
  'history-id': null as string | null,
  evidence: null as string | null,
});

export type BackupOutputs = ReturnType<typeof noOutputs>;
