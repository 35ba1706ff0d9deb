import type { XmlFields, XmlValue } from './xml.ts';

/** Decoded parameters by their dotted names. */
export type Form = ReadonlyMap<string, string>;

interface Node {
  value: string | undefined;
  readonly children: Map<string, Node>;
}

/** How an answer calls a parameter it repeats. */
type EchoName = (name: string, isList: boolean) => string;

/** EC2's answers begin names small. */
export const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** Typed reading of a form's parameters by their dotted names, e.g. `Placement.AvailabilityZone`. */
export interface Parameters {
  text(name: string): string | undefined;
  /** The parameter table has already refused what is not a number. */
  number(name: string): number | undefined;
  flag(name: string): boolean | undefined;
  time(name: string): number | undefined;
  /** The values of `name.1`, `name.2` ... in the order of their numbers. */
  list(name: string): readonly string[];
  /** The structures at `name.1`, `name.2` ..., each read by names relative to it. */
  each(name: string): readonly Parameters[];
  has(name: string): boolean;
  /** Every parameter as it came, a parameter before those below it. */
  form(): Form;
  /** The same with these over them. */
  over(changes: Form): Parameters;
  /** The structure at `name`, read by names relative to it; empty if there is none. */
  below(name: string): Parameters;
  /** The parameters as an answer repeats them. */
  echo(nameOf: EchoName): XmlFields;
}

const emptyNode = (): Node => ({ value: undefined, children: new Map() });

const find = (node: Node, name: string): Node | undefined =>
  name.split('.').reduce<Node | undefined>((at, part) => at?.children.get(part), node);

const numbered = (node: Node | undefined): readonly Node[] =>
  [...(node?.children ?? [])].sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => child);

const entriesOf = (node: Node, path: string): readonly (readonly [string, string])[] => [
  ...(node.value === undefined ? [] : [[path, node.value] as const]),
  ...[...node.children].flatMap(([part, child]) => entriesOf(child, path === '' ? part : `${path}.${part}`)),
];

const isList = ({ children }: Node): boolean =>
  children.size > 0 && [...children.keys()].every((key) => /^\d+$/.test(key));

const echoFields = ({ children }: Node, nameOf: EchoName): XmlFields =>
  Object.fromEntries([...children].map(([name, child]) => [nameOf(name, isList(child)), echoValue(child, nameOf)]));

const echoValue = (node: Node, nameOf: EchoName): XmlValue =>
  node.value ?? (isList(node) ? numbered(node).map((child) => echoValue(child, nameOf)) : echoFields(node, nameOf));

const readerOf = (root: Node): Parameters => {
  const text = (name: string): string | undefined => find(root, name)?.value;
  const as =
    <T>(convert: (value: string) => T) =>
    (name: string): T | undefined => {
      const value = text(name);
      return value === undefined ? undefined : convert(value);
    };
  return {
    text,
    number: as(Number),
    flag: as((value) => value === 'true'),
    time: as(Date.parse),
    list: (name) => numbered(find(root, name)).flatMap(({ value }) => value ?? []),
    each: (name) => numbered(find(root, name)).map(readerOf),
    has: (name) => find(root, name) !== undefined,
    form: () => new Map(entriesOf(root, '')),
    over: (changes) =>
      readerOf([...changes].reduce((node, [name, value]) => withValue(node, name.split('.'), value), root)),
    below: (name) => readerOf(find(root, name) ?? emptyNode()),
    echo: (nameOf) => echoFields(root, nameOf),
  };
};

/** A copy with a value at the path; what is not on the path is shared. */
const withValue = ({ value: own, children }: Node, [part, ...rest]: readonly string[], value: string): Node => {
  if (part === undefined) return { value, children };
  const child = withValue(children.get(part) ?? emptyNode(), rest, value);
  return { value: own, children: new Map(children).set(part, child) };
};

export const readParameters = (form: Iterable<readonly [string, string]>): Parameters => {
  const root = emptyNode();
  for (const [name, value] of form) {
    let node = root;
    for (const part of name.split('.')) {
      const child = node.children.get(part) ?? emptyNode();
      node.children.set(part, child);
      node = child;
    }
    node.value = value;
  }
  return readerOf(root);
};
