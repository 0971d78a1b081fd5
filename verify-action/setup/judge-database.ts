import { askedDatabase, findDatabase } from '../../shared/backups/find-database.ts';
import { checkProject } from '../../shared/backups/host-checks.ts';
import { checkSpace, chooseCompression, estimateOf } from '../../shared/backups/preflight.ts';
import type { Findings, Problem } from '../../shared/drill/finding.ts';
import { neededFor } from '../../shared/drill/needed.ts';
import { checkDumpTools } from '../../shared/postgres/probe.ts';
import { type Catalogue, verifiedSetsOf } from '../../shared/sets/catalogue.ts';
import type { Survey } from '../../shared/survey/survey.ts';
import { formatBytes } from '../../shared/units.ts';
import type { VerifyInputs } from '../inputs.ts';
import type { SetupFacts } from './setup-facts.ts';

/** Checks that the next backup can be taken and drilled. */
export function judgeDatabase(findings: Findings, { seen, catalogue }: SetupFacts, inputs: VerifyInputs): void {
  // As backup-action does without inputs of its own.
  const wanted = { format: 'custom', compression: 'auto', encryption: 'none' } as const;
  findings.after('docker', 'project', () => {
    checkProject(seen, inputs);
    const services = new Set(seen.containers.map(({ service }) => service));
    return `${seen.containers[0]?.project} runs ${[...services].toSorted().join(', ')}`;
  });
  findings.after('project', 'database', () => `it runs in the service ${findDatabase(seen, inputs).service}`);
  findings.after('database', 'database accepts', () => {
    const { database, serverVersion, sizeBytes } = askedDatabase(seen);
    return `"${database}" accepts connections: ${formatBytes(sizeBytes)}, PostgreSQL ${serverVersion}`;
  });
  findings.after('database accepts', 'pg_dump', () => {
    const facts = askedDatabase(seen);
    checkDumpTools(facts);
    return `pg_dump ${facts.pgDumpVersion} is in the container`;
  });
  findings.after('pg_dump', 'compressor', () => {
    const { encoding, where } = chooseCompression(seen, askedDatabase(seen), wanted);
    return `${encoding.compression}, in the ${where}`;
  });
  findings.after('compressor', 'space', () => {
    const facts = askedDatabase(seen);
    const { encoding } = chooseCompression(seen, facts, wanted);
    const previous = verifiedSetsOf(facts.database, catalogue.sets)[0]?.manifest ?? null;
    const alike = previous?.format === encoding.format && previous.compression === encoding.compression;
    const estimate = estimateOf(facts, encoding, alike ? previous.sizeBytes : null);
    checkSpace(seen, estimate, inputs, alike ? previous.sizeBytes : null);
    return `${formatBytes(seen.freeBytes)} free; the next backup needs about ${formatBytes(estimate)}`;
  });
  const free = seen.setup?.dockerFree ?? null;
  if ('version' in seen.docker && free === null) {
    findings.unable(
      'space for a drill',
      "could not find out how much space Docker's disk has",
      'On the host: docker info',
    );
  } else {
    findings.after(
      'database accepts',
      'space for a drill',
      () => judgeDrillSpace(seen, catalogue, inputs.minFreeSpace, free ?? 0),
      'warning',
    );
  }
}

function judgeDrillSpace(seen: Survey, catalogue: Catalogue, minFreeSpace: number, free: number): string | Problem {
  const facts = askedDatabase(seen);
  const newest = verifiedSetsOf(facts.database, catalogue.sets)[0];
  if (newest === undefined) return 'there is no backup to drill yet';
  const needed = neededFor(newest.manifest, facts.sizeBytes) + minFreeSpace;
  const remedy = 'Make room: docker system df on the host. Or drill on another machine';
  if (free >= needed)
    return `Docker's disk has ${formatBytes(free)} free; a drill needs at most ${formatBytes(needed)}`;
  return {
    detail: `Docker's disk has only ${formatBytes(free)} free; a drill may need ${formatBytes(needed)}`,
    remedy,
  };
}
