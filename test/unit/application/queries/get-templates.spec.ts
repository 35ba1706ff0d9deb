import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { startWorld, templateDocument, type World } from '../../provider-world.ts';

const three = async (): Promise<World> => {
  const world = await startWorld();
  await world.writeTemplates(
    templateDocument(),
    templateDocument({ templateId: 'od-b', vmType: 'c5.large' }),
    templateDocument({ templateId: 'spot', priceType: 'spot', vmTypes: { 'm5.large': 1 } }),
  );
  return world;
};
const idsOf = async (world: World, input: Parameters<World['service']['getTemplates']>[0]) =>
  (await world.service.getTemplates(input)).templates.map(({ templateId }) => templateId);

describe('the templates', () => {
  it.each([
    [{}, ['od-a', 'od-b', 'spot']],
    [{ filters: { priceType: 'spot' } }, ['spot']],
    [{ filters: { priceType: 'ondemand', vmType: 'c5.large' } }, ['od-b']],
    [{ filters: { vmType: 'x9.large' } }, []],
    [{ filters: { maxNumber: '10' }, limit: 2 }, ['od-a', 'od-b']],
    [{ limit: 1 }, ['od-a']],
    [{ offset: 1 }, ['od-b', 'spot']],
    [{ offset: 1, limit: 1 }, ['od-b']],
    [{ offset: 9 }, []],
    [{ limit: 0 }, []],
  ])('for %j are %j', async (input, ids) => expect(await idsOf(await three(), input)).toEqual(ids));

  it('are read anew each time', async () => {
    const world = await three();
    await world.writeTemplates(templateDocument({ templateId: 'new' }));
    expect(await idsOf(world, {})).toEqual(['new']);
  });

  it('with faults are left out, told, and logged fault by fault', async () => {
    const world = await startWorld();
    await world.writeTemplates(
      templateDocument(),
      templateDocument({ templateId: 'bad', imageId: 'x', maxNumber: -2 }),
    );
    const { templates, rejected, file } = await world.service.getTemplates();
    expect([templates.length, rejected.map(({ templateId }) => templateId)]).toEqual([1, ['bad']]);
    const logged = world.log.lines.filter(({ code }) => code === 'template.rejected');
    expect(logged.map(({ level, fields }) => [level, fields['field']]).sort()).toEqual([
      ['error', 'imageId'],
      ['error', 'maxNumber'],
    ]);
    expect(logged[0]?.text).toContain(file);
  });

  it('need no AWS', async () => {
    const world = await three();
    await world.service.getTemplates();
    expect(world.hosts.calls).toEqual([]);
  });

  it('fail as a whole where the file cannot be read', async () => {
    const world = await startWorld();
    await writeFile(world.templatesFile, '{ "templates": [');
    await expect(world.service.getTemplates()).rejects.toMatchObject({ code: 'configuration.invalid' });
  });
});
