/** How to reach a host, as the inputs say. */
export interface SshSettings {
  host: string;
  port: number;
  user: string;
  /** The text of the private key, as it is stored in the secret. */
  key: string;
  passphrase: string | null;
  /** Lines as in a known_hosts file. */
  knownHosts: string;
  proxyJump: JumpHost | null;
}

/** A host to connect through, with the same key; for null, ssh uses its own default. */
export interface JumpHost {
  user: string | null;
  host: string;
  port: number | null;
}
