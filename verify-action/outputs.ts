/** Every output with its initial value: what it says if the action fails early. */
export const noOutputs = () => ({
  // Until every check was made, nothing is verified.
  status: 'could-not-verify' as 'verified' | 'failed' | 'could-not-verify',
  passed: null as number | null,
  warnings: null as number | null,
  failed: null as number | null,
  'could-not-check': null as number | null,
  results: null as string | null,
  'newest-backup-id': null as string | null,
  'newest-backup-age': null as number | null,
  'drill-duration-ms': null as number | null,
  'history-id': null as string | null,
  evidence: null as string | null,
});

export type VerifyOutputs = ReturnType<typeof noOutputs>;
