/** How a host is reached, as the inputs say. */
export interface SshSettings {
  host: string;
  port: number;
  user: string;
  /** The private key's text, as a secret holds it. */
  key: string;
  passphrase: string | null;
  /** Lines as in a known_hosts file. */
  knownHosts: string;
  proxyJump: JumpHost | null;
}

/** A host to connect through, with the same key; what is null is as ssh has it. */
export interface JumpHost {
  user: string | null;
  host: string;
  port: number | null;
}
