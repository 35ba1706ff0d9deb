import type { Handler, Message, Operation } from '../bus/bus.ts';

export interface GetConfiguration extends Message {
  readonly type: 'GetConfiguration';
}

export interface ConfiguredValue {
  readonly name: string;
  readonly value: unknown;
  /** The file, variable or default it comes from. */
  readonly origin: string;
}

export interface ConfigurationReport {
  /** Absent where the defaults alone apply. */
  readonly file?: string;
  readonly values: readonly ConfiguredValue[];
  readonly warnings: readonly string[];
  /** What is named and not there: calls fail for want of it. */
  readonly errors: readonly string[];
}

/** Every setting with its value and where it comes from. */
export const getConfigurationHandler =
  (report: () => Promise<ConfigurationReport>): Handler<Operation<GetConfiguration, ConfigurationReport>> =>
  async () =>
    report();
