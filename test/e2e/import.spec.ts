import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { listOf } from './entries.ts';
import { createPlugin, home, type Json, type Plugin } from './plugin.ts';

const fixtures = join(home, 'test', 'e2e', 'fixtures', 'import');

/** The environment tells what another plug-in's files do not: the emulator, and the keys of a profile. */
const keys = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'planted-secret' };

describe('hf-aws import --write', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  let tree: string;
  let target: string;

  beforeAll(async () => {
    backend = await emulatorBackend();
    backend.emulator.configure({ pendingMs: 100, fulfilMs: 100, shuttingDownMs: 100 });
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin({}, []);
    tree = await mkdtemp(join(tmpdir(), 'hf-aws-tree-'));
    target = join(plugin.directory, 'new');
    await cp(fixtures, tree, { recursive: true });
  });
  afterEach(async () => {
    await plugin.remove();
    await rm(tree, { recursive: true });
    await backend.clear();
  });

  const take = (path: string, ...flags: readonly string[]) =>
    hfAwsJson(plugin, 'import', join(tree, path), '--write', target, ...flags);

  const written = async (name: string): Promise<Json> => JSON.parse(await readFile(join(target, name), 'utf8'));

  /** The five scripts with the written files, as Host Factory calls them. */
  const lifeCycle = async (instance: string, templateId: string, count: number) => {
    const env = {
      ...plugin.env,
      ...keys,
      HF_PROVIDER_NAME: instance,
      HF_PROVIDER_CONFDIR: target,
      AWS_ENDPOINT_URL: backend.url,
    };
    const call = async (operation: string, input: Json): Promise<Json> => {
      const { exitCode, body, stdout } = await plugin.call(operation, input, { env });
      expect([exitCode, stdout]).toEqual([0, expect.any(String)]);
      return body;
    };
    const { templates } = await call('getAvailableTemplates', {});
    const { requestId } = await call('requestMachines', { template: { templateId, machineCount: count } });
    const statusOf = async (id: unknown) =>
      listOf((await call('getRequestStatus', { requests: [{ requestId: id }] }))['requests'])[0] ?? {};
    await expect.poll(async () => (await statusOf(requestId))['status'], { timeout: 30_000 }).toBe('complete');
    const machines = listOf((await statusOf(requestId))['machines']).map(({ machineId, name }) => ({
      machineId: String(machineId),
      name: String(name),
    }));
    const instances = backend.emulator.instances().filter(({ id }) => machines.some((each) => each.machineId === id));
    const spot = instances.filter(({ lifecycle }) => lifecycle === 'spot').length;
    const { requestId: returnId } = await call('requestReturnMachines', { machines });
    await call('getReturnRequests', { machines });
    await expect.poll(async () => (await statusOf(returnId))['status'], { timeout: 30_000 }).toBe('complete');
    const tags = instances[0]?.tags ?? {};
    return { offered: listOf(templates).map((each) => each['templateId']), hosts: machines.length, spot, tags };
  };

  it('takes over IBM Symphony’s files, and the five scripts go through a life cycle with them', async () => {
    const { exitCode, body } = await take('symphony');
    expect([exitCode, body['source'], body['instance']]).toEqual([0, 'IBM Symphony', 'grid']);
    expect(body['decisions']).toMatchObject([
      { field: 'AWS_COLOUR', why: 'no parameter of this plug-in: left out' },
      { templateId: 'ondemand', field: 'colour', why: 'is no field of this plug-in: left out' },
    ]);
    expect(await written('gridprov_config.json')).toEqual({
      $comment: ['AWS_COLOUR no parameter of this plug-in: left out'],
      AWS_REGION: 'us-east-1',
      AWS_CREDENTIAL_FILE: join(tree, 'symphony', 'conf', 'providers', 'grid', 'credentials'),
      AWS_REQUEST_RETRY_ATTEMPTS: '1',
    });
    expect(await lifeCycle('grid', 'ondemand', 2)).toMatchObject({
      offered: ['ondemand'],
      hosts: 2,
      spot: 0,
      tags: { team: 'quant', env: 'prod' },
    });
  });

  it('takes over each of several providers in one tree, and the five scripts serve each by its own files', async () => {
    const providers = join(tree, 'symphony', 'conf', 'providers');
    const [grid, eu] = [join(providers, 'grid'), join(providers, 'eu')];
    await cp(grid, eu, { recursive: true });
    for (const kind of ['config', 'templates'])
      await rename(join(eu, `gridprov_${kind}.json`), join(eu, `awsprov_${kind}.json`));
    const change = async (file: string, from: string, to: string): Promise<void> =>
      writeFile(file, (await readFile(file, 'utf8')).replaceAll(from, to));
    await change(join(eu, 'awsprov_config.json'), 'us-east-1', 'eu-west-2');
    await change(join(eu, 'awsprov_templates.json'), '"templateId": "ondemand"', '"templateId": "small"');

    const several = await hfAwsHere(plugin, ['import', join(tree, 'symphony')]);
    expect([several.exitCode, several.stderr]).toEqual([1, expect.stringContaining(`--instance eu  in ${eu}`)]);
    expect(several.stderr).toContain(`--instance grid  in ${grid}`);
    expect((await hfAwsHere(plugin, ['import', providers])).stderr).toBe(several.stderr);

    for (const instance of ['grid', 'eu']) {
      const { exitCode, body } = await take('symphony', '--instance', instance);
      expect([exitCode, body['instance'], body['leftOut']]).toEqual([0, instance, []]);
    }
    expect((await written('euprov_config.json'))['AWS_REGION']).toBe('eu-west-2');
    expect((await written('gridprov_config.json'))['AWS_REGION']).toBe('us-east-1');
    expect(await lifeCycle('eu', 'small', 2)).toMatchObject({ offered: ['small'], hosts: 2 });
    expect(await lifeCycle('grid', 'ondemand', 1)).toMatchObject({ offered: ['ondemand'], hosts: 1 });
  });

  it('takes over LSF’s files with the fleet that one names, and they go through a life cycle', async () => {
    const { exitCode, body } = await take('lsf', '--instance', 'awsinst');
    expect([exitCode, body['source'], body['leftOut']]).toEqual([0, 'IBM LSF', []]);
    const told = listOf(body['decisions']).map(({ templateId, field }) => `${templateId ?? ''} ${field}`.trim());
    expect(told).toEqual(
      expect.arrayContaining([
        'userDataScript',
        'spot spotPrice',
        'spot userData',
        'spot priority',
        'fleet ec2FleetConfig',
      ]),
    );
    expect(await written('awsinstprov_templates.json')).toMatchObject({
      templates: [
        { templateId: 'spot', priceType: 'spot', maxSpotPrice: '0.2', vmTypes: { 'm5.large': 1, 'm5.xlarge': 1 } },
        { templateId: 'fleet', providerApi: 'EC2Fleet', fleetType: 'instant', priceType: 'spot', percentOnDemand: 50 },
      ],
    });
    const spot = await lifeCycle('awsinst', 'spot', 2);
    expect(spot).toMatchObject({ offered: ['spot', 'fleet'], hosts: 2, spot: 2, tags: { group: 'LSF' } });
    expect(await lifeCycle('awsinst', 'fleet', 2)).toMatchObject({ hosts: 2, spot: 1 });
  });

  it('takes over Open Resource Broker’s files with its defaults, and they go through a life cycle', async () => {
    const { exitCode, body } = await take('broker');
    expect([exitCode, body['source'], body['instance']]).toEqual([0, 'Open Resource Broker', 'aws-us-east-1']);
    expect(listOf(body['decisions']).map(({ field }) => field)).toEqual(
      expect.arrayContaining(['providers', 'profile', 'extensions']),
    );
    expect(await written('aws-us-east-1prov_config.json')).toMatchObject({
      AWS_REGION: 'us-east-1',
      AWS_REQUEST_RETRY_ATTEMPTS: 3,
      LogLevel: 'WARN',
      templateDefaults: {
        maxNumber: 10,
        imageId: 'ami-0123456789abcdef0',
        subnetId: ['subnet-0aaaaaaaaaaaaaaaa'],
        vmTypes: { 't3.medium': 1 },
      },
    });
    expect(await lifeCycle('aws-us-east-1', 'EC2Fleet-Instant-Mixed', 2)).toMatchObject({
      offered: ['EC2Fleet-Instant-Mixed', 'ASG-Spot'],
      hosts: 2,
      spot: 1,
      tags: { Environment: 'dev', Project: 'broker' },
    });
    const other = await hfAwsJson(
      plugin,
      'import',
      join(tree, 'broker'),
      '--instance',
      'aws-eu-west-2',
      '--write',
      target,
    );
    expect(other.exitCode).toBe(0);
    expect(await written('aws-eu-west-2prov_config.json')).toMatchObject({ AWS_REGION: 'eu-west-2' });
  });

  it('replaces nothing unless it is told to, and then keeps copies', async () => {
    expect((await take('symphony')).exitCode).toBe(0);
    const again = await hfAwsHere(plugin, ['import', join(tree, 'symphony'), '--write', target]);
    expect([again.exitCode, again.stderr]).toEqual([
      1,
      expect.stringContaining('nothing was written, since there are already'),
    ]);
    expect((await take('symphony', '--force')).body['backups']).toHaveLength(2);
  });

  it('keeps a template from being served that was not before, and says why in it', async () => {
    const file = join(tree, 'lsf', 'resource_connector', 'aws', 'conf', 'ec2-fleet.conf');
    await writeFile(file, '{"Type": "instant"}');
    const { exitCode, body } = await take('lsf');
    expect([exitCode, body['leftOut']]).toEqual([1, ['fleet']]);
    const { templates } = await written('awsprov_templates.json');
    expect(listOf(templates)[1]).toMatchObject({
      ec2FleetConfig: 'ec2-fleet.conf',
      $comment: expect.arrayContaining([
        expect.stringMatching(/^ec2FleetConfig keeps the template from being served: /),
      ]),
    });
  });
});
