import type { Plugin } from 'esbuild';
import { autoScalingOperations, ec2Operations } from '../../src/providers/aws/services/operations.ts';

/** The SDK's kinds of schema (`StaticSchema` of @smithy/types) that operations of query services are made of. */
const kinds = { simple: 0, list: 1, structure: 3, operation: 9 } as const;

/**
 * The source of a module with the schemas of these operations and all they reach, taken from the SDK by value. Each schema is made
 * when it is first asked for: most calls need few. Of a schema that is kept which the codec reads: its kind, the names of
 * members, and their types and traits. Throws for an operation or a kind of schema that it does not know.
 */
export const schemaSource = (sdk: Readonly<Record<string, unknown>>, operations: readonly string[]): string => {
  const functions = new Map<unknown, string>();
  const texts = new Map<string, string>();
  const lines: string[] = [];

  /** Each text stands in the file once. */
  const text = (value: string): string => {
    const name = texts.get(value) ?? `t${texts.size}`;
    texts.set(value, name);
    return name;
  };
  const traits = (value: unknown): string =>
    typeof value === 'object' && value !== null
      ? `{${Object.entries(value)
          .map(([name, each]) => `${name}:${typeof each === 'string' ? text(each) : JSON.stringify(each)}`)
          .join()}}`
      : JSON.stringify(value);
  const reference = (value: unknown): string => {
    if (typeof value === 'function') return reference(value());
    if (typeof value === 'number' || value === 'unit') return JSON.stringify(value);
    if (!Array.isArray(value)) throw new Error(`the SDK has a reference that is not known here: ${String(value)}`);
    return value.length === 2 ? `[${reference(value[0])},${traits(value[1])}]` : lazily(value);
  };
  const lazily = (schema: readonly unknown[]): string => {
    const known = functions.get(schema);
    if (known !== undefined) return known;
    const name = `s${functions.size}`;
    functions.set(schema, name);
    lines.push(`function ${name}(){return ${name}.made??=${tuple(schema)}}`);
    return name;
  };
  const tuple = ([kind, , name, , content, members]: readonly unknown[]): string => {
    switch (kind) {
      case kinds.simple:
      case kinds.list:
        return `[${kind},0,0,0,${reference(content)}]`;
      case kinds.structure:
        return `[${kind},0,0,0,[${listOf(content).map((each) => text(String(each)))}],[${listOf(members).map(reference)}]]`;
      default:
        throw new Error(`${String(name)}: the SDK has a kind of schema that is not known here: ${String(kind)}`);
    }
  };
  for (const name of operations) {
    const [kind, , , , input, output] = listOf(sdk[`${name}$`]);
    if (kind !== kinds.operation) throw new Error(`the SDK has no operation ${name}`);
    lines.push(`export const ${name}$=[${kind},0,"${name}",0,${reference(input)},${reference(output)}];`);
  }
  const constants = [...texts].map(([value, name]) => `${name}=${JSON.stringify(value)}`);
  return [`const ${constants.join()};`, ...lines].join('\n');
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The SDK's clients by name, with the operations in use. */
const operationsOf: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-ec2': Object.keys(ec2Operations),
  '@aws-sdk/client-auto-scaling': Object.keys(autoScalingOperations),
};

/** Puts the schemas of the operations in use in place of the SDK's clients. */
export const sdkSchemas: Plugin = {
  name: 'sdk-schemas',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@aws-sdk\/client-/ }, ({ path }) =>
      operationsOf[path] === undefined ? undefined : { path, namespace: 'sdk-schemas' },
    );
    onLoad({ filter: /./, namespace: 'sdk-schemas' }, async ({ path }) => ({
      contents: schemaSource(await import(path), operationsOf[path] ?? []),
    }));
  },
};
