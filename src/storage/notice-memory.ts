import { join } from 'node:path';
import type { KnownCondition, NoticeMemory } from '../application/ports/notices.ts';
import { hasCode } from '../domain/errors.ts';
import { replaceableDocument } from './json-documents.ts';

const isNoted = (value: unknown): value is KnownCondition =>
  typeof value === 'object' &&
  value !== null &&
  'condition' in value &&
  typeof value.condition === 'string' &&
  'subject' in value &&
  typeof value.subject === 'string' &&
  'summary' in value &&
  typeof value.summary === 'string' &&
  'since' in value &&
  Number.isFinite(value.since) &&
  'told' in value &&
  typeof value.told === 'object' &&
  value.told !== null &&
  Object.values(value.told).every(Number.isFinite);

const isStored = (value: unknown): value is readonly KnownCondition[] => Array.isArray(value) && value.every(isNoted);

/** The notices already sent, in `cache/notices.json`. An unreadable file counts as none sent. */
export const createNoticeMemory = (workDirectory: string): NoticeMemory => {
  const document = replaceableDocument(join(workDirectory, 'cache', 'notices.json'), isStored);
  return {
    read: async () => {
      const stored = await document.read().catch((error: unknown) => {
        if (!hasCode(error, 'storage.unreadable')) throw error;
      });
      return stored ?? [];
    },
    write: (noted) => document.write(noted),
  };
};
