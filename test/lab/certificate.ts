import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { temporaryFolder } from './folder.ts';
import { needPrograms } from './packages.ts';

/** Of a server on loopback, signed by itself. */
export interface Certificate {
  key: string;
  cert: string;
  /** What a program has to be told to trust it: the file of `NODE_EXTRA_CA_CERTS`. */
  file: string;
}

/** @param more further names of the server */
export async function makeCertificate(...more: string[]): Promise<Certificate> {
  await needPrograms({ openssl: 'openssl' });
  const folder = temporaryFolder('certificate');
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const own = ['DNS:localhost', 'IP:127.0.0.1', ...more.map((name) => `DNS:${name}`)];
  const names = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${own.join(',')}`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await run(['openssl', 'req', '-x509', ...kind, ...names, '-keyout', key, '-out', file]);
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(file, 'utf8'), file };
}
