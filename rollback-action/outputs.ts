/** Every output with its initial value: what it says if the action fails early. */
export const noOutputs = () => ({
  status: 'refused' as 'rolled-back' | 'reverted' | 'refused' | 'planned' | 'unchanged' | 'failed',
  from: null as string | null,
  to: null as string | null,
  'plan-hash': null as string | null,
  'transaction-id': null as string | null,
  'backup-id': null as string | null,
  'downtime-ms': null as number | null,
  'failed-requests': null as number | null,
  'duration-ms': null as number | null,
  'history-id': null as string | null,
  evidence: null as string | null,
});

export type RollbackOutputs = ReturnType<typeof noOutputs>;
