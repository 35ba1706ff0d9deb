import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Usage } from '../application/ports/memory.ts';
import type { MetricValues, Observe } from '../application/ports/telemetry.ts';
import { sumMetrics } from '../application/read-model/metric-values.ts';
import type { Environment, ProviderEnvironment } from '../config/environment.ts';
import type { ProviderConfig } from '../config/provider-config.ts';
import { messageOf } from '../domain/errors.ts';
import { createFileLogger, type FileLogger, type LogLevel, toLogLevel } from '../telemetry/file-logger.ts';
import { createObserver } from '../telemetry/observer.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { version } from './version.ts';

export interface Telemetry {
  /** Its `flush` also keeps the metrics and sends the traces of the call. */
  readonly log: FileLogger;
  readonly observe: Observe;
  readonly tracing: Tracing | undefined;
  /** What all processes counted so far. */
  readonly usage: () => Promise<MetricValues>;
  /** Of this hour and the one before, and since when, ms. */
  readonly recentUsage: () => Promise<{ readonly since: number; readonly metrics: MetricValues }>;
  readonly compactUsage: () => Promise<void>;
}

const megabyte = 1_048_576;

type LogSettings = Pick<ProviderConfig, 'ACCEPT_PROPAGATED_LOG_SETTING' | 'LogLevel'>;

const settingsOf = (
  environment: ProviderEnvironment,
  config: LogSettings | undefined,
): { readonly level: LogLevel; readonly maxBytes: number; readonly maxFiles: number } => {
  const positive = (text: string | undefined, fallback: number): number => {
    const value = Number(text);
    return Number.isFinite(value) && value > 0 ? value : fallback;
  };
  const { hfLogLevel, hfLogMaxFileSize, hfLogMaxRotate } =
    config?.ACCEPT_PROPAGATED_LOG_SETTING === true ? environment : {};
  return {
    level: toLogLevel(hfLogLevel) ?? toLogLevel(config?.LogLevel) ?? 'INFO',
    maxBytes: positive(hfLogMaxFileSize, 10) * megabyte,
    maxFiles: positive(hfLogMaxRotate, 5),
  };
};

const createLog = (
  environment: ProviderEnvironment,
  correlationId: () => string,
  config: LogSettings | undefined,
): FileLogger =>
  createFileLogger({
    file: join(environment.logDir, `${environment.providerName}-provider.${hostname()}.log`),
    correlationId,
    clock: Date.now,
    ...settingsOf(environment, config),
  });

/** Says in the log why a call cannot even begin. */
export const logFault = async (
  environment: ProviderEnvironment,
  correlationId: () => string,
  error: unknown,
): Promise<void> => {
  const log = createLog(environment, correlationId, undefined);
  log.error('configuration.invalid', messageOf(error));
  await log.flush();
};

/** Nothing of OpenTelemetry is loaded unless somebody wants its spans. */
const startTracing = async (env: Environment, file: string | undefined): Promise<Tracing | undefined> => {
  const isWanted = Object.keys(env).some((name) =>
    /^OTEL_(EXPORTER_OTLP_(TRACES_)?ENDPOINT|TRACES_EXPORTER)$/.test(name),
  );
  if (
    file === undefined &&
    (!isWanted || env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none')
  )
    return undefined;
  const tracing = await import('../telemetry/tracing.ts');
  return tracing.startTracing({ version, ...(file === undefined ? {} : { file }) });
};

interface TelemetryContext {
  readonly environment: ProviderEnvironment;
  readonly config: ProviderConfig;
  readonly env: Environment;
  readonly traceFile: string | undefined;
  readonly correlationId: () => string;
  /** What all processes of this host have counted. */
  readonly usage: Usage;
  /** Whether log and metrics may be kept. */
  readonly leavesTraces: () => boolean;
}

/** The log, the metrics and the traces of a process. */
export const startTelemetry = async ({
  environment,
  config,
  env,
  traceFile,
  correlationId,
  usage,
  leavesTraces,
}: TelemetryContext): Promise<Telemetry> => {
  const fileLog = createLog(environment, correlationId, config);
  const tracing = await startTracing(env, traceFile);
  const observer = createObserver(tracing?.observe);
  return {
    log: {
      ...fileLog,
      flush: async () => {
        const metrics = observer.take();
        await Promise.all([...(leavesTraces() ? [fileLog.flush(), usage.add(metrics)] : []), tracing?.flush()]);
      },
    },
    observe: observer.observe,
    tracing,
    usage: async () => sumMetrics([await usage.total(), observer.peek()]),
    recentUsage: usage.recent,
    compactUsage: usage.compact,
  };
};
