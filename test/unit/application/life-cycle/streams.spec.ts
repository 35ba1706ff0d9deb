import { describe, expect, it } from 'vitest';
import { decideOnRequest, foldRequest } from '../../../../src/application/life-cycle/streams.ts';
import { createIdOf } from '../../../../src/domain/ids.ts';
import { createRequestStreams } from '../../../../src/storage/request-streams.ts';
import { launchOf, pending } from '../../domain/request/request-given.ts';
import { onDemandTemplate } from '../../domain/template/template-fixture.ts';
import { origin, uuid } from '../../provider-world.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const id = createIdOf(uuid(1));
const create = {
  type: 'Create',
  now: 1,
  template: onDemandTemplate,
  providerApi: 'RunInstances',
  wanted: 2,
  attributes: {},
} as const;

describe('deciding on a stream', () => {
  it('writes what follows from several commands at once, each seeing the one before', async () => {
    const context = { streams: createRequestStreams(await temporaryFolder()), origin };
    const { state, version } = await decideOnRequest(context, id, [
      create,
      create,
      { type: 'IntendLaunch', now: 1, launch: launchOf(0) },
    ]);
    expect([state.stage, version]).toEqual(['open', 2]);
    expect(foldRequest(await context.streams.load(id))).toEqual(state);
  });

  it('writes nothing when nothing follows', async () => {
    const context = { streams: createRequestStreams(await temporaryFolder()), origin };
    await decideOnRequest(context, id, [create]);
    expect((await decideOnRequest(context, id, [create])).version).toBe(1);
    expect((await context.streams.load(id)).version).toBe(1);
  });

  it('is taken anew on what another process wrote: of many at once none is lost', async () => {
    const folder = await temporaryFolder();
    const context = () => ({ streams: createRequestStreams(folder), origin });
    await decideOnRequest(context(), id, [create]);
    await Promise.all(
      Array.from({ length: 15 }, (_, n) =>
        decideOnRequest(context(), id, [
          { type: 'RecordLaunch', now: 2, clientToken: 'req-1.0', granted: [pending(`i-${n}`)] },
        ]),
      ),
    );
    const state = foldRequest(await context().streams.load(id));
    expect(state.stage === 'absent' ? 0 : state.machines.size).toBe(15);
  });

  it('writes down who asked', async () => {
    const streams = createRequestStreams(await temporaryFolder());
    const asked = { correlationId: 'c-1', userId: 'egoadmin' };
    await decideOnRequest({ streams, origin: asked }, id, [create]);
    expect((await streams.load(id)).events).toMatchObject([asked]);
  });
});
