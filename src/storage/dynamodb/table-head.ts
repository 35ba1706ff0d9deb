import type { StateHead } from '../../application/ports/state-copy.ts';
import { PluginError } from '../../domain/errors.ts';
import { type Item, number, numberIn, type Table, text, textIn } from './table.ts';

/** What the table says of the store, and since when, ms, it is there: nothing in its feed is older. */
export type TableHead = StateHead & { readonly madeAt: number };

const headIn = (item: Item): TableHead => {
  const [id, kind, other = ''] = [textIn(item, 'id') ?? '', textIn(item, 'mark'), textIn(item, 'other')];
  const madeAt = numberIn(item, 'at') ?? 0;
  const isMarked = kind === 'left' || kind === 'filling';
  return isMarked ? { id, madeAt, mark: { kind, other, at: numberIn(item, 'marked') ?? 0 } } : { id, madeAt };
};

const marked = ({ mark }: StateHead): Item =>
  mark === undefined ? {} : { mark: text(mark.kind), other: text(mark.other), marked: number(mark.at) };

/** The item that says which store the owner's items are. */
export const createTableHead = (table: Table, owner: string, clock: () => number) => {
  const key = { pk: `${owner}#store`, sk: '0' };
  /** Makes it unless there is one; answers with what there is. */
  const make = async (head: StateHead): Promise<TableHead> => {
    const at = number(Math.round(clock()));
    const item = { pk: text(key.pk), sk: text(key.sk), id: text(head.id), at, ...marked(head) };
    return headIn((await table.create(item)) ?? item);
  };
  return {
    read: async (): Promise<TableHead | undefined> => {
      const item = await table.get(key);
      return item === undefined ? undefined : headIn(item);
    },
    make,
    /** Makes it, or changes its mark. Throws `storage.conflict` where it is another store by now. */
    write: async (head: StateHead): Promise<void> => {
      const [id, { mark }] = [{ ':id': text(head.id) }, head];
      await make(head);
      const isDone =
        mark === undefined
          ? await table.update(key, 'REMOVE #mark, #other, #marked', id, '#id = :id')
          : await table.update(
              key,
              'SET #mark = :mark, #other = :other, #marked = :at',
              { ...id, ':mark': text(mark.kind), ':other': text(mark.other), ':at': number(mark.at) },
              '#id = :id',
            );
      if (!isDone)
        throw new PluginError('storage.conflict', `the table ${table.name} holds the state of another store by now`);
    },
  };
};
