import { join } from 'node:path';
import type { JumpHost, SshSettings } from './ssh-settings.ts';

/** Answers ssh's question for the passphrase from the file beside it: it must be on no command line. */
export const askpass = '#!/bin/sh\nexec cat -- "$(dirname -- "$0")/passphrase"\n';

/**
 * The only configuration that ssh reads. What names the one host stands under its own name; the rest holds for a jump
 * host as well. Values come from inputs that were checked against their grammar.
 */
export function sshConfig({ host, port, user, proxyJump, passphrase }: SshSettings, folder: string): string {
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
  ConnectTimeout 15
  ServerAliveInterval 5
  ServerAliveCountMax 3
  LogLevel INFO
`;
}

/** As ProxyJump takes it. */
export function jumpWord({ user, host, port }: JumpHost): string {
  return `${user === null ? '' : `${user}@`}${host.includes(':') ? `[${host}]` : host}${port === null ? '' : `:${port}`}`;
}

/**
 * A private key as a secret holds it, mended: carriage returns, indentation and a missing last line break are what
 * copying does to keys. Whether it is a key at all, ssh says.
 */
export function mendKey(text: string): string {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  return `${lines.filter((line, at) => line !== '' || isPemHeaderEnd(lines, at)).join('\n')}\n`;
}

/** The old PEM form has an empty line after the headers of an encrypted key, and needs it. */
function isPemHeaderEnd(lines: readonly string[], at: number): boolean {
  return lines[at - 1]?.startsWith('DEK-Info:') ?? false;
}
