import { appendFile } from 'node:fs/promises';
import { context, type Span as OtelSpan, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node';
import type { LogFields, Observe } from '../application/ports/telemetry.ts';
import { isPluginError, messageOf } from '../domain/errors.ts';

export interface Tracing {
  readonly observe: Observe;
  /** The same below a span of the caller's, from its `traceparent` header. */
  within<A>(traceparent: string | undefined, work: () => Promise<A>): Promise<A>;
  /** Sends what is left. Never fails and never takes long. */
  flush(): Promise<void>;
}

export interface TracingOptions {
  readonly version: string;
  /** One JSON object per span is appended to it. Without it, spans go where the OTEL_ variables say. */
  readonly file?: string;
}

/** A process of Host Factory's may be waited for: a collector that does not answer must not hold it up, ms. */
const exportTimeout = 1000;

const millis = ([seconds, nanos]: readonly [number, number]): number => seconds * 1000 + nanos / 1e6;

const lineOf = (span: ReadableSpan): string => {
  const { traceId, spanId } = span.spanContext();
  return JSON.stringify({
    name: span.name,
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    start: new Date(millis(span.startTime)).toISOString(),
    durationMs: millis(span.duration),
    ok: span.status.code !== SpanStatusCode.ERROR,
    attributes: span.attributes,
  });
};

const fileExporter = (file: string): SpanExporter => ({
  export: (spans, done) => {
    appendFile(file, spans.map((span) => `${lineOf(span)}\n`).join(''), { mode: 0o600 }).then(
      () => done({ code: 0 }),
      (error: unknown) => done({ code: 1, error: error instanceof Error ? error : new Error(String(error)) }),
    );
  },
  shutdown: async () => undefined,
});

/** Fields as span attributes, `hf.requestId` and so on; what is no plain value as JSON. */
const setAttributes = (span: OtelSpan, fields: LogFields): void => {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    span.setAttribute(`hf.${name}`, isPlain ? value : JSON.stringify(value));
  }
};

const noteFault = (span: OtelSpan, error: unknown): void => {
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
  if (isPluginError(error)) setAttributes(span, { code: error.code, aws: error.aws });
};

/** Starts OpenTelemetry. Its exporter reads the OTEL_EXPORTER_OTLP_ variables itself; it speaks OTLP over HTTP with JSON. */
export const startTracing = ({ version, file }: TracingOptions): Tracing => {
  const named = resourceFromAttributes({ 'service.name': 'hostfactory-aws', 'service.version': version });
  const exporter = file === undefined ? new OTLPTraceExporter({ timeoutMillis: exportTimeout }) : fileExporter(file);
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(named)
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exporter, { exportTimeoutMillis: exportTimeout })],
  });
  provider.register();
  const tracer = trace.getTracer('hostfactory-aws', version);
  return {
    observe: ({ kind, name, attributes = {} }, work) =>
      tracer.startActiveSpan(`${kind} ${name}`, async (span) => {
        setAttributes(span, attributes);
        try {
          return await work();
        } catch (error) {
          noteFault(span, error);
          throw error;
        } finally {
          span.end();
        }
      }),
    within: (traceparent, work) =>
      context.with(propagation.extract(context.active(), traceparent === undefined ? {} : { traceparent }), work),
    flush: () => provider.forceFlush().catch(() => undefined),
  };
};
