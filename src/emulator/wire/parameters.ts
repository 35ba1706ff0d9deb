interface Node {
  value: string | undefined;
  readonly children: Map<string, Node>;
}

/** Typed reading of a form's parameters by their dotted names, e.g. `Placement.AvailabilityZone`. */
export interface Parameters {
  text(name: string): string | undefined;
  /** The parameter table has already refused what is not a whole number. */
  integer(name: string): number | undefined;
  flag(name: string): boolean | undefined;
  /** The values of `name.1`, `name.2` ... in the order of their numbers. */
  list(name: string): readonly string[];
  /** The structures at `name.1`, `name.2` ..., each read by names relative to it. */
  each(name: string): readonly Parameters[];
  has(name: string): boolean;
  /** Every parameter as it came, a parameter before those below it. */
  entries(): readonly (readonly [name: string, value: string])[];
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

const readerOf = (root: Node): Parameters => {
  const text = (name: string): string | undefined => find(root, name)?.value;
  return {
    text,
    integer: (name) => (text(name) === undefined ? undefined : Number(text(name))),
    flag: (name) => (text(name) === undefined ? undefined : text(name) === 'true'),
    list: (name) => numbered(find(root, name)).flatMap(({ value }) => value ?? []),
    each: (name) => numbered(find(root, name)).map(readerOf),
    has: (name) => find(root, name) !== undefined,
    entries: () => entriesOf(root, ''),
  };
};

/** Reads a decoded form (name to value). */
export const readParameters = (form: ReadonlyMap<string, string>): Parameters => {
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
