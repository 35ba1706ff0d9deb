import type { LogCode } from './log-lines.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** One line per event: a code of log-lines.ts first, then prose, then fields. Never stdout: that belongs to Host Factory. */
export interface Logger {
  debug(code: LogCode<'debug'>, text: string, fields?: LogFields): void;
  info(code: LogCode<'info'>, text: string, fields?: LogFields): void;
  warn(code: LogCode<'warn'>, text: string, fields?: LogFields): void;
  error(code: LogCode<'error'>, text: string, fields?: LogFields): void;
}

/** Hears how far long work has come. The total may grow while work is found. */
export type Progress = (what: string, done: number, total: number) => void;

/** What was going on at a place worth watching. Wraps the work: its answer and its error pass through. */
export type Observe = <A>(span: Span, work: () => Promise<A>) => Promise<A>;

export interface Span {
  /** `entry`: a script, command line or HTTP call; `operation`: a command or query. */
  readonly kind: 'entry' | 'operation' | 'handler' | 'store' | 'aws';
  readonly name: string;
  readonly attributes?: LogFields;
  /** Of a script's call: whether a process of its own or a server does it. */
  readonly way?: 'process' | 'server';
}

/** Metrics by name and labels, in the form of Prometheus: `aws_calls{action="RunInstances"}`. All only ever grow. */
export type MetricValues = Readonly<Record<string, number>>;
