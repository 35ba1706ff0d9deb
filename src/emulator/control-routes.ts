import type { Control } from './control.ts';
import { readFaultRule } from './faults.ts';
import { readInstanceChange } from './instance-change.ts';
import { InvalidInput } from './invalid-input.ts';
import { readSettings } from './settings.ts';

export const controlPrefix = '/_emulator/';

export interface ControlAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

type Route = (control: Control, input: unknown) => unknown;

const doing =
  (act: (control: Control) => void): Route =>
  (control) => {
    act(control);
    return { done: true };
  };

const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['GET calls', (control) => control.calls()],
  ['GET calls/count', (control) => control.countCalls()],
  ['DELETE calls', doing((control) => control.forgetCalls())],
  ['GET faults', (control) => control.faults()],
  ['POST faults', (control, input) => control.addFault(readFaultRule(input))],
  ['DELETE faults', doing((control) => control.clearFaults())],
  ['GET settings', (control) => control.settings()],
  ['PATCH settings', (control, input) => control.configure(readSettings(input))],
  ['GET instances', (control) => control.instances()],
  ['POST reset', doing((control) => control.reset())],
]);

const routeOf = (method: string, path: string): Route | undefined => {
  const [, id] = /^instances\/([^/]+)$/.exec(path) ?? [];
  if (method === 'POST' && id !== undefined)
    return (control, input) => control.setInstance(id, readInstanceChange(input));
  return routes.get(`${method} ${path}`);
};

const parse = (body: string): unknown => {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new InvalidInput('the body is not JSON', { cause });
  }
};

const answer = (status: number, body: unknown): ControlAnswer => ({ status, body: `${JSON.stringify(body)}\n` });

/** Serves one control request; `path` is what follows the prefix. */
export const answerControl = (control: Control, method: string, path: string, body: string): ControlAnswer => {
  const route = routeOf(method, path);
  if (route === undefined) {
    const known = [...routes.keys(), 'POST instances/<id>'].join(', ');
    return answer(404, { message: `no control route ${method} ${path}; there are: ${known}` });
  }
  try {
    return answer(200, route(control, parse(body)));
  } catch (error) {
    if (error instanceof InvalidInput) return answer(400, { message: error.message });
    throw error;
  }
};
