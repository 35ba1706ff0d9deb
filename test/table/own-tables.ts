import dynalite from 'dynalite';

let server: ReturnType<typeof dynalite> | undefined;

/** One dynalite for all tests of the project: each provider instance gets a table of its own there. */
export const setup = async (): Promise<void> => {
  const made = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const address = made.address();
  process.env['HF_AWS_TEST_TABLES'] =
    `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  server = made;
};

export const teardown = async (): Promise<void> => {
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
};
