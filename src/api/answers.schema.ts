import { closed, named } from '../application/bus/json-schema.ts';
import { roles } from '../application/bus/origin.ts';
import { words } from '../application/bus/shapes.ts';
import { operations } from '../application/operations.ts';

/** What is answered to a request in Host Factory's words. */
export const hostFactoryRequest = named('HostFactoryRequest', operations.CreateRequest.answer);

export const health = named('Health', closed({ status: { enum: ['ok', 'stopping'] }, version: words }));

export const session = named(
  'Session',
  closed(
    {
      about: { ...words, description: 'Whose server it is: provider and Region' },
      version: words,
      role: { enum: roles },
      readOnly: { type: 'boolean' },
      hasTokens: { type: 'boolean', description: 'Whether callers need a token' },
      user: words,
    },
    ['user'],
  ),
);

export const problem = named(
  'Problem',
  closed({
    status: { type: 'integer' },
    title: words,
    detail: { ...words, description: 'For people' },
    code: { ...words, description: 'Stable, for programs' },
  }),
);
