declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** Milliseconds for which a table is being made. */
  const dynalite: (options?: { readonly createTableMs?: number }) => Server;
  export = dynalite;
}
