import { join } from 'node:path';
import type { JumpHost, SshSettings } from './ssh-settings.ts';

/** Answers ssh's question for the passphrase from a file beside it, so that it never appears on a command line. */
export const askpass = '#!/bin/sh\nexec cat -- "$(dirname -- "$0")/passphrase"\n';

/** AES takes a processor half the time of ssh's own first choice, on both ends: a copy of a backup is bounded by that. */
const quickCiphers = 'aes128-gcm@openssh.com,aes256-gcm@openssh.com';

/**
 * The only configuration that ssh reads. Settings of the target host are under its own name; all others apply to a jump
 * host as well. Values come from inputs that were checked against their grammar.
 * @param version what `ssh -V` says
 */
export function sshConfig(
  { host, port, user, proxyJump, passphrase }: SshSettings,
  folder: string,
  version: string,
): string {
  const file = (name: string) => `"${join(folder, name).replaceAll('%', '%%')}"`;
  return `Host atlasia-host
  HostName ${host}
  Port ${port}
  User ${user}
${proxyJump === null ? '' : `  ProxyJump ${jumpWord(proxyJump)}\n`}
Host *
  User ${user}
  IdentityFile ${file('key')}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${file('known_hosts')}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  CheckHostIP no
  VerifyHostKeyDNS no
  PreferredAuthentications publickey
  PasswordAuthentication no
  KbdInteractiveAuthentication no
  HostbasedAuthentication no
  GSSAPIAuthentication no
  BatchMode ${passphrase === null ? 'yes' : 'no'}
  NumberOfPasswordPrompts 1
  ForwardAgent no
  ForwardX11 no
  ClearAllForwardings yes
  PermitLocalCommand no
  RequestTTY no
  EscapeChar none
  Compression no
${mayPutFirst(version) ? `  Ciphers ^${quickCiphers}\n` : ''}  ConnectTimeout 15
  ServerAliveInterval 5
  ServerAliveCountMax 3
  LogLevel INFO
`;
}

/** Whether this ssh can put ciphers before its own, which it learned in 8.1: older ones would refuse the whole configuration. */
function mayPutFirst(version: string): boolean {
  const [, major, minor] = /^OpenSSH_(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 8 || (Number(major) === 8 && Number(minor) >= 1);
}

/** The jump host in the syntax of ProxyJump. */
export function jumpWord({ user, host, port }: JumpHost): string {
  return `${user === null ? '' : `${user}@`}${host.includes(':') ? `[${host}]` : host}${port === null ? '' : `:${port}`}`;
}

/**
 * Repairs what copying into a secret does to a private key: carriage returns, indentation, a missing line break at the
 * end. Does not check that it is a key at all; ssh will.
 */
export function mendKey(text: string): string {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  return `${lines.filter((line, at) => line !== '' || isPemHeaderEnd(lines, at)).join('\n')}\n`;
}

/** In the old PEM format, an encrypted key needs the empty line after its headers. */
function isPemHeaderEnd(lines: readonly string[], at: number): boolean {
  return lines[at - 1]?.startsWith('DEK-Info:') ?? false;
}
