import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startWorld, templateDocument } from '../../provider-world.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

describe('validating a template', () => {
  it('finds nothing in a good one', async () => {
    const world = await startWorld();
    expect(await world.service.validateTemplate({ templateId: 'od-a' })).toEqual({
      file: world.templatesFile,
      templates: ['od-a'],
      isValid: true,
      errors: [],
      warnings: [],
    });
  });

  it('names every fault of a bad one by its field', async () => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument({ imageId: 'no-image', maxNumber: 20_000 }));
    const { isValid, errors } = await world.service.validateTemplate({ templateId: 'od-a' });
    expect([isValid, errors.map(({ field }) => field).sort()]).toEqual([false, ['imageId', 'maxNumber']]);
  });

  it('applies the rules between fields', async () => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument({ volumeType: 'io2' }));
    expect((await world.service.validateTemplate({ templateId: 'od-a' })).errors).toMatchObject([
      { field: 'iops', rule: 'is required with volumeType io2' },
    ]);
  });

  it.each([
    ['a placeholder that nothing fills in', '#!/bin/sh\n%EXPORT_USER_DATA%\n', /boot\.sh has IBM's placeholder/],
    ['more than EC2 takes', 'x'.repeat(16_385), /boot\.sh has 16385 bytes, EC2 takes at most 16384/],
  ])('tells of user data with %s', async (_what, text, rule) => {
    const world = await startWorld();
    const userDataScript = join(await temporaryFolder(), 'boot.sh');
    await writeFile(userDataScript, text);
    await world.writeTemplates(templateDocument({ userDataScript }));
    const { errors } = await world.service.validateTemplate({});
    expect(errors).toMatchObject([{ field: 'userDataScript', rule: expect.stringMatching(rule) }]);
  });

  it('says of a file that is named and cannot be served only that, and what to write', async () => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument({ vmType: undefined, ec2FleetConfig: 'fleet.json' }));
    expect(await world.service.validateTemplate({})).toMatchObject({
      errors: [
        { field: 'ec2FleetConfig', rule: expect.stringMatching(/fleet\.json cannot be served: .*no such file/) },
      ],
      warnings: [],
    });
  });

  it('tells of one that stands twice', async () => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument(), templateDocument({ vmType: 'c5.large' }));
    expect(await world.service.validateTemplate({ templateId: 'od-a' })).toMatchObject({
      isValid: false,
      errors: [{ field: 'templateId', rule: 'is used twice in the file' }],
    });
  });

  it('of an unknown one fails, naming the file', async () => {
    const world = await startWorld();
    await expect(world.service.validateTemplate({ templateId: 'nobody' })).rejects.toMatchObject({
      code: 'template.not-found',
      message: expect.stringContaining(world.templatesFile),
    });
  });

  it('is told in the log', async () => {
    const world = await startWorld();
    await world.service.validateTemplate({ templateId: 'od-a' });
    expect(world.log.codes()).toEqual(expect.arrayContaining(['template.validating', 'template.validated']));
  });
});
