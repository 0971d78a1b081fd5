import { Findings } from '../../shared/drill/finding.ts';
import type { VerifyInputs } from '../inputs.ts';
import { judgeCompose } from './judge-compose.ts';
import { judgeDatabase } from './judge-database.ts';
import { judgeHistory, judgeTransactions } from './judge-history.ts';
import { judgeMachine } from './judge-machine.ts';
import { judgeServer } from './judge-server.ts';
import { judgeOutside } from './outside.ts';
import type { SetupFacts } from './setup-facts.ts';

/** Checks that backups and rollbacks will work on this host. Changes nothing on it. */
export function judgeSetup(facts: SetupFacts, inputs: VerifyInputs): Findings {
  const findings = new Findings('setup');
  const { hostName, seen } = facts;
  findings.check('connection', () =>
    inputs.ssh === null ? 'the runner is the host' : `${hostName} answers, with a host key from "known-hosts"`,
  );
  judgeMachine(findings, seen, inputs);
  judgeDatabase(findings, facts, inputs);
  judgeServer(findings, facts, inputs);
  judgeCompose(findings, seen, inputs);
  judgeTransactions(findings, seen, inputs);
  judgeHistory(findings, facts, inputs);
  judgeOutside(findings, facts.reached, inputs);
  return findings;
}
