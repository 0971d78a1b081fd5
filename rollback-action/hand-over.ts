import { isFailure } from '../shared/failure.ts';
import type { Connection } from '../shared/host/connection.ts';
import * as log from '../shared/runner/log.ts';
import { type Carried, type Carrying, carry } from './carry.ts';
import type { RollbackOutputs } from './outputs.ts';
import type { Restoring } from './restoring.ts';

/**
 * Hands the rollback over to the host, which from then on decides, and waits for its end. Of a restore, the copy goes again if the
 * host never began.
 * @throws Failure as `carry` does
 */
export async function handOver(
  connection: Connection,
  carrying: Omit<Carrying, 'onId'>,
  outputs: RollbackOutputs,
  restoring: Pick<Restoring, 'drop'> | null,
): Promise<Carried> {
  const onId = (id: string) => {
    outputs['transaction-id'] = id;
    log.info(`Transaction ${id}`);
  };
  // Until the host reports the ending, assume the worst.
  outputs.status = 'failed';
  try {
    const carried = await log.group('Swap', () => carry(connection, { ...carrying, onId }));
    // The engine has done so, if it came so far.
    if (carried.outcome.ending === 'refused') await restoring?.drop(connection);
    return carried;
  } catch (error) {
    if (outputs['transaction-id'] === null && !isFailure(error, 'outcome-unknown')) {
      // Nothing was started that could still need the copy.
      outputs.status = 'refused';
      await restoring?.drop(connection);
    }
    throw error;
  }
}
