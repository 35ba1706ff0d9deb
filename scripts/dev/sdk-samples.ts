/** A value of a type, and the XML that stands for it in an answer. */
export interface Sample {
  readonly value: unknown;
  readonly xml: string;
}

interface Traits {
  readonly xmlName?: string;
  readonly xmlFlattened?: number;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A reference that is a pair has the traits of its use beside it. */
const useOf = (reference: unknown): { readonly type: unknown; readonly traits: Traits } => {
  const [type, traits] = Array.isArray(reference) && reference.length === 2 ? reference : [reference, {}];
  return { type, traits: typeof traits === 'object' && traits !== null ? traits : {} };
};

const simple = (code: number): Sample => {
  const moment = '2026-01-02T03:04:05Z';
  switch (code) {
    case 1:
      return { value: 7, xml: '7' };
    case 2:
      return { value: true, xml: 'true' };
    case 4:
    case 5:
      return { value: new Date(moment), xml: moment };
    case 21:
      return { value: Buffer.from('bytes'), xml: Buffer.from('bytes').toString('base64') };
    default:
      return { value: 'some text', xml: 'some text' };
  }
};

/** One item of each list, and every member of each structure; of what holds itself only the outermost. */
export const sampleOf = (reference: unknown, within: readonly unknown[] = []): Sample => {
  const { type } = useOf(reference);
  if (typeof type === 'function') return sampleOf(type(), within);
  if (type === 'unit') return { value: {}, xml: '' };
  if (typeof type === 'number' && type >= 64) return sampleOf([1, '', '', 0, type - 64], within);
  if (typeof type === 'number') return simple(type);
  const [kind, , , , content, members] = listOf(type);
  if (kind === 0) return sampleOf(content, within);
  if (kind === 1) {
    const item = sampleOf(content, within);
    const tag = useOf(content).traits.xmlName ?? 'member';
    return { value: [item.value], xml: `<${tag}>${item.xml}</${tag}>` };
  }
  const fields = listOf(content).flatMap((name, index) => {
    const member = listOf(members)[index];
    const { traits, type: inner } = useOf(member);
    if (within.includes(inner)) return [];
    const { value, xml } = sampleOf(member, [...within, type, inner]);
    const tag = traits.xmlName ?? String(name);
    return [[String(name), value, traits.xmlFlattened === undefined ? `<${tag}>${xml}</${tag}>` : xml] as const];
  });
  return {
    value: Object.fromEntries(fields.map(([name, value]) => [name, value])),
    xml: fields.map(([, , xml]) => xml).join(''),
  };
};
