import { closed, named } from '../application/bus/json-schema.ts';
import { words } from '../application/bus/shapes.ts';
import { operations } from '../application/operations.ts';

/** What is answered to a request in Host Factory's words. */
export const hostFactoryRequest = named('HostFactoryRequest', operations.CreateRequest.answer);

export const health = named('Health', closed({ status: { enum: ['ok', 'stopping'] }, version: words }));

export const problem = named(
  'Problem',
  closed({
    status: { type: 'integer' },
    title: words,
    detail: { ...words, description: 'For people' },
    code: { ...words, description: 'Stable, for programs' },
  }),
);
