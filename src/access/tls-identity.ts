/** What a server needs to speak TLS, both in PEM. */
export interface TlsIdentity {
  /** The certificate, followed by those between it and a root. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}
