import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';

/** Codes by which Node says that it knows nobody who vouches for a certificate. */
const unknownIssuer: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

export const isUnknownIssuer = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && unknownIssuer.has(String(error.code));

/**
 * Node reads the 140 certificates that it trusts before the first encrypted connection, which takes as long as its start does; AWS
 * needs five of them. The launcher's option keeps Node from that. Without it, or with another beside it, Node's own trust is untouched.
 */
const launchersOption = '--use-openssl-ca';
const readsNone = (): boolean => {
  const options = process.execArgv.filter((option) => option.endsWith('-ca'));
  // A Node that was built to trust the system's certificates does so by the same option.
  const { defines }: { readonly defines?: unknown } = Object(process.config.target_defaults);
  const isBuiltSo = Array.isArray(defines) && defines.includes('NODE_OPENSSL_CERT_STORE');
  return process.env['HF_AWS_ROOTS'] === 'amazon' && options.join() === launchersOption && !isBuiltSo;
};

/** The certificates that Node trusts unless it is told otherwise, where the launcher has told it. */
export const nodesCertificates = async (): Promise<{ readonly ca?: string[] }> =>
  readsNone() ? { ca: [...(await import('node:tls')).rootCertificates] } : {};

/** Whom this process believes. */
export interface Trust {
  /** None: as Node does. */
  current(): SecureContext | undefined;
  /** Moves on to the next source of certificates; false where there is none. */
  after(one: SecureContext | undefined): boolean;
}

/** Asks the next only when one has met a certificate that it does not know. */
export const inTurn = (makers: readonly (() => SecureContext)[]): Trust => {
  let turn = 0;
  let made: SecureContext | undefined;
  const current = () => {
    made ??= makers[turn]?.();
    return made;
  };
  return {
    current,
    after: (one) => {
      // Another connection may have gone on meanwhile.
      if (one !== current()) return true;
      if (turn + 1 >= makers.length) return false;
      turn++;
      made = undefined;
      return true;
    },
  };
};

const amazons = (): Buffer | undefined => {
  try {
    return readFileSync(join(__dirname, 'amazon-roots.pem'));
  } catch {
    return undefined;
  }
};

/** Believes whom Node would believe, Amazon first. */
export const createTrust = ({
  createSecureContext,
  rootCertificates,
}: Pick<typeof import('node:tls'), 'createSecureContext' | 'rootCertificates'>): Trust => {
  if (!readsNone()) return inTurn([]);
  const few = amazons();
  const all = () => createSecureContext({ ca: [...rootCertificates] });
  return inTurn(few === undefined ? [all] : [() => createSecureContext({ ca: few }), all]);
};
