import { CreateLaunchTemplateCommand, type RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { listOf } from './entries.ts';
import { createPlugin, type Json, type Plugin } from './plugin.ts';

describe('what a template says', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, []);
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.clear();
  });

  const ask = async (template: Json) => {
    const attributes = { type: 'X86_64', ncpus: 1, nram: 4096 };
    await plugin.offer([{ templateId: 'cell', maxNumber: 50, attributes, ...backend.place, ...template }]);
    backend.emulator.forgetCalls();
    const { exitCode, body } = await plugin.call('requestMachines', {
      template: { templateId: 'cell', machineCount: 1 },
    });
    const calls = backend.emulator.calls();
    const parameters = (action: string) => calls.find((call) => call.action === action)?.parameters;
    return { exitCode, message: String(body['message']), actions: calls.map(({ action }) => action), parameters };
  };

  describe('over a launch template of the administrator’s', () => {
    const launchTemplate = async (LaunchTemplateData: RequestLaunchTemplateData): Promise<Json> => {
      const made = await backend.client.send(
        new CreateLaunchTemplateCommand({ LaunchTemplateName: 'theirs', LaunchTemplateData }),
      );
      return { launchTemplateId: made.LaunchTemplate?.LaunchTemplateId, launchTemplateVersion: '1' };
    };

    it.each([
      ['RunInstances', { vmType: 'm5.large' }, 'RunInstances', 'Placement'],
      ['EC2Fleet', { vmTypes: { 'm5.large': 1 } }, 'CreateLaunchTemplate', 'LaunchTemplateData.Placement'],
    ])('keeps the rest of its placement: %s', async (providerApi, fields, action, place) => {
      const theirs = await launchTemplate({ Placement: { GroupName: 'near' } });
      const { parameters } = await ask({ providerApi, ...fields, ...theirs, tenancy: 'dedicated' });
      expect(parameters(action)).toMatchObject({ [`${place}.GroupName`]: 'near', [`${place}.Tenancy`]: 'dedicated' });
    });

    it('is refused by RunInstances where that would launch spot instead of on demand', async () => {
      const theirs = await launchTemplate({ InstanceMarketOptions: { MarketType: 'spot' } });
      const { exitCode, message, actions } = await ask({ vmType: 'm5.large', ...theirs });
      expect([exitCode, actions]).toEqual([1, ['DescribeLaunchTemplateVersions']]);
      expect(message).toMatch(/^template cell: launchTemplateId version 1 of lt-\w+ asks for spot instances/);
      expect(await backend.instanceIds('pending', 'running')).toEqual([]);
    });
  });

  it.each([
    [
      'launchTemplateSpec.CpuOptions.ThreadPerCore',
      { vmType: 'm5.large', launchTemplateSpec: { CpuOptions: { ThreadPerCore: 1 } } },
      'ThreadsPerCore',
    ],
    [
      'providerApiSpec.SpotOptions.AllocationStategy',
      {
        providerApi: 'EC2Fleet',
        priceType: 'spot',
        vmTypes: { 'm5.large': 1 },
        providerApiSpec: { SpotOptions: { AllocationStategy: 'lowest-price' } },
      },
      'AllocationStrategy',
    ],
    [
      'abisInstanceRequirements.ExcludedInstanceType',
      {
        providerApi: 'ASG',
        priceType: 'spot',
        abisInstanceRequirements: { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 }, ExcludedInstanceType: ['t*'] },
      },
      'ExcludedInstanceTypes',
    ],
  ])(
    'in AWS’s own words and misspelt launches nothing, and validate finds its place: %s',
    async (field, fields, meant) => {
      const { exitCode, message, actions } = await ask(fields);
      expect([exitCode, actions]).toEqual([1, []]);
      expect(message).toMatch(
        new RegExp(`^template cell in \\S+: ${field} is not a field AWS has there; it has .*\\b${meant}\\b`),
      );
      expect((await plugin.state()).filter((file) => /requests|live/.test(file))).toEqual([]);
      const validated = await hfAwsJson(plugin, 'templates', 'validate');
      expect(validated.exitCode).toBe(1);
      expect(listOf(validated.body['errors'])).toMatchObject([{ field, hint: `did you mean ${meant}?` }]);
    },
  );

  it('of a share on demand goes for spot alone: heterogeneous begins with spot for all', async () => {
    const fleet = {
      fleetRole: 'arn:aws:iam::123456789012:role/fleet',
      vmTypes: { 'm5.large': 1 },
      percentOnDemand: 100,
    };
    const onDemand = 'SpotFleetRequestConfig.OnDemandTargetCapacity';
    const spot = await ask({ ...fleet, priceType: 'spot' });
    expect(spot.parameters('RequestSpotFleet')).toMatchObject({ [onDemand]: '1' });
    const heterogeneous = await ask({ ...fleet, priceType: 'heterogeneous' });
    expect(heterogeneous.parameters('RequestSpotFleet')).not.toHaveProperty([onDemand]);
    expect((await hfAwsJson(plugin, 'templates', 'validate')).body['warnings']).toMatchObject([
      { field: 'percentOnDemand' },
    ]);
  });
});
