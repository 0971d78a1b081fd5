import { createHash } from 'node:crypto';
import type { KeyDiagnosis } from '../host/ssh-failures.ts';
import { runTool } from './tool.ts';

/** Tries a private key without contacting the host: finds out whether it is readable, and its public fingerprint. */
export async function diagnoseKey(keyFile: string, environment: Record<string, string>): Promise<KeyDiagnosis> {
  const { exitCode, stdout, stderr } = await runTool('ssh-keygen', ['-y', '-f', keyFile], { env: environment });
  const [publicKey, blob] = /^[a-z0-9@.-]+ ([A-Za-z0-9+/=]+)/.exec(stdout) ?? [];
  if (exitCode === 0 && publicKey !== undefined && blob !== undefined) {
    const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64');
    return { state: 'usable', fingerprint: `SHA256:${digest.replace(/=+$/, '')}`, publicKey };
  }
  return /passphrase/i.test(stderr) ? { state: 'wrong-passphrase' } : { state: 'unreadable', detail: stderr };
}
