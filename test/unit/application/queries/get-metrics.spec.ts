import { expect, it } from 'vitest';
import { metricsText } from '../../../../src/application/read-model/metrics-text.ts';
import { version } from '../../../../src/boot/version.ts';
import { startWorld, templateDocument, type World } from '../../provider-world.ts';

const textOf = async (world: World): Promise<string> => metricsText(await world.service.getMetrics());

it('metrics tell of every template how many machines it may have, and whether it launches nothing for now', async () => {
  const world = await startWorld({ protectAfter: 2 });
  await world.writeTemplates(templateDocument(), templateDocument({ templateId: 'endless', maxNumber: -1 }));
  const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 2 });
  for (const id of world.hosts.ids()) world.hosts.end(id, 'Server.InternalError');
  await world.service.syncRequests({ requestIds: [requestId] });
  const lines = (await textOf(world)).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      `hf_aws_build_info{version="${version}"} 1`,
      'hf_aws_template_max_machines{template="od-a"} 10',
      'hf_aws_template_protected{template="endless"} 0',
      'hf_aws_template_protected{template="od-a"} 1',
      'hf_aws_machine_results{result="fail",template="od-a"} 2',
      '# TYPE hf_aws_template_protected gauge',
    ]),
  );
  expect(lines.filter((line) => line.startsWith('hf_aws_template_max_machines{'))).toHaveLength(1);
});

it('metrics are told also while the templates cannot be read', async () => {
  const world = await startWorld();
  await world.writeTemplates({ templateId: 7 });
  const text = await textOf(world);
  expect(text).toContain('hf_aws_build_info');
  expect(text).not.toContain('hf_aws_template_');
});

it('metrics tell hours and cost of the last 24 hours by template and market, to who asks for costs', async () => {
  const world = await startWorld();
  await world.service.createRequest({ templateId: 'od-a', maxNumber: 3 });
  world.pass(30 * 3_600_000);
  const { gauges } = await world.service.getMetrics({ costs: true });
  const { costs } = await world.service.getOverview({});
  expect(gauges['day_machine_hours{template="od-a",market="ondemand"}']).toBeCloseTo(72, 6);
  expect(costs[0]?.usd).toBeGreaterThan(0);
  expect(gauges['day_cost_usd{template="od-a",market="ondemand"}']).toBeCloseTo(costs[0]?.usd ?? 0, 6);
  expect(metricsText({ counters: {}, gauges })).toContain('# TYPE hf_aws_day_cost_usd gauge');
  expect(await textOf(world)).not.toContain('hf_aws_day_');
});
