import { describe, expect, it } from 'vitest';
import { decideOnRequest, foldRequest } from '../../../../src/application/life-cycle/streams.ts';
import { createIdOf } from '../../../../src/domain/ids.ts';
import { createCapacityLedger } from '../../../../src/storage/capacity-ledger.ts';
import { createRequestStreams } from '../../../../src/storage/request-streams.ts';
import { withLedger } from '../../../../src/storage/streams-with-ledger.ts';
import { launchOf, pending, refusalOf } from '../../domain/request/request-given.ts';
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

  it('that lost a race and has nothing left to write has the ledger say what the other one recorded', async () => {
    const folder = await temporaryFolder();
    const live = createCapacityLedger(folder);
    const context = { streams: withLedger(createRequestStreams(folder), live), origin };
    await live.reserve({ templateId: onDemandTemplate.templateId, requestId: id, units: 2 }, undefined);
    const launch = { type: 'IntendLaunch', now: 1, launch: launchOf(0) } as const;
    const refusal = { ...refusalOf(2), tryNextPool: true };
    const refused = {
      type: 'RecordLaunch',
      now: 2,
      clientToken: launchOf(0).clientToken,
      granted: [],
      refusal,
    } as const;
    const between = await decideOnRequest(context, id, [create, launch, refused]);
    const cancel = { type: 'Cancel', now: 3, reason: 'a test' } as const;
    const other = await decideOnRequest(context, id, [cancel, { type: 'Settle', now: 3 }]);
    expect([other.state.stage, await live.list()]).toEqual(['settled', []]);
    const late = await decideOnRequest(context, id, [{ ...launch, launch: launchOf(1) }], between);
    expect([late.version, await live.list()]).toEqual([other.version, []]);
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
