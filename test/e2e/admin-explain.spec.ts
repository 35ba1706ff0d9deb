import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectGolden, hfAws, hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, hostOf, type Plugin } from './plugin.ts';

const good = { templateId: 'good', maxNumber: 4, vmType: 'm5.large' };

describe('explain', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, [{ ...good, ...backend.place }]);
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.clear();
    backend.emulator.configure({ capacity: {} });
  });

  /** The times, ids and names of one run. */
  const withoutAccidents = (text: string): string =>
    text
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
      .replaceAll(/\bi-[0-9a-f]{17}/g, '<machine>')
      .replaceAll(/ip-[\d-]+\.ec2\.internal/g, '<name>')
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/g, '<date>')
      .replaceAll(/ +\+\d+ s/g, '  +<time>');
  /** Looks in between depend on the moment of polling. */
  const withoutPolls = (text: string): string =>
    withoutAccidents(text)
      .split('\n')
      .filter((line) => !/EC2 showed/.test(line))
      .join('\n');

  it('tells of a partial grant: what was asked, granted, refused by whom and why, and what to do', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 2 } });
    const requestId = await plugin.request('good', 4);
    const { machines } = await plugin.settled(requestId);
    const created = await hfAwsHere(plugin, ['requests', 'explain', requestId]);
    expect(created.exitCode).toBe(0);
    const returnId = await plugin.giveBack(machines.map(hostOf));
    await plugin.settled(returnId);
    const returned = await hfAwsHere(plugin, ['requests', 'explain', returnId]);
    const machine = await hfAwsHere(plugin, ['machines', 'explain', machines[0]?.machineId ?? '']);
    await expectGolden(
      'explain.txt',
      [created, returned, machine].map(({ stdout }) => withoutPolls(stdout)).join('\n'),
    );
    expect(machine.stdout).toMatch(/EC2 showed: i-\w+ running m5\.large ip-/);
    const { body } = await hfAwsJson(plugin, 'requests', 'explain', requestId);
    expect(body).toMatchObject({ id: requestId, next: [expect.stringContaining('more subnets')] });
  });

  it('says that machines died, of what, and that their template is protected', async () => {
    await plugin.configure({ protectAfterFailures: 3 });
    await plugin.offer([{ ...good, maxNumber: 9, ...backend.place }]);
    backend.emulator.configure({ pendingMs: 60_000 });
    const requestId = await plugin.request('good', 6);
    await backend.terminate(...(await backend.instanceIds('pending')));
    const [machine] = (await plugin.settled(requestId)).machines;
    const { stdout } = await hfAwsHere(plugin, ['requests', 'explain', requestId]);
    expect(stdout).toMatch(/EC2 showed: 6 (shutting-down|terminated) \(Client\.UserInitiatedShutdown/);
    expect(stdout).toMatch(
      /^Now complete_with_error: 6 of 6 machines granted\. 6 of 6 machines died: 6 Client\.UserInitiatedShutdown.*\.$/m,
    );
    expect(stdout).toMatch(/^ {2}somebody else ended machines through the EC2 API: CloudTrail shows who/m);
    expect(stdout).toMatch(
      /^ {2}template good launches nothing for 60 min more, since its last 6 machines failed: .* --template good$/m,
    );
    expect(stdout).not.toContain('Nothing needs to be done');
    const one = await hfAwsHere(plugin, ['machines', 'explain', machine?.machineId ?? '']);
    expect(one.stdout).toContain('CloudTrail shows who');
    const { stdout: templates } = await hfAwsHere(plugin, ['templates', 'list']);
    expect(templates).toContain('good launches nothing: its last 6 machines failed.');
    backend.emulator.configure({ pendingMs: 300 });
  });

  it('names who recorded a state, and keeps no reason that was of another', async () => {
    const { machines } = await plugin.settled(await plugin.request('good', 1));
    const id = machines[0]?.machineId ?? '';
    await hfAwsHere(plugin, ['machines', 'set-status', id, 'terminated', '--metadata', 'by=me', '--user', 'ana']);
    const { stdout } = await hfAwsHere(plugin, ['machines', 'explain', id]);
    expect(stdout).toContain(`ana recorded that ${id} is terminated (by=me)`);
    const { body } = await hfAwsJson(plugin, 'machines', 'show', id);
    expect(body['message']).toBe('the instance is terminated');
  });

  it('of what is not on record fails', async () => {
    const unknown = 'req-00000000-0000-4000-8000-000000000000';
    expect(await hfAwsJson(plugin, 'requests', 'explain', unknown)).toMatchObject({
      exitCode: 1,
      body: { error: { code: 'request.not-found' } },
    });
    expect(await hfAwsJson(plugin, 'machines', 'explain', 'i-00000000000000000')).toMatchObject({
      exitCode: 1,
      body: { error: { code: 'machine.not-found' } },
    });
  });

  it('watch follows a request to its end, and create --wait does both', async () => {
    const requestId = await plugin.request('good', 1);
    const watched = await hfAwsHere(plugin, ['requests', 'watch', requestId, '--interval', '0.1']);
    expect(watched.exitCode).toBe(0);
    expect(watched.stdout).toMatch(/\[#{20}\] 1\/1 {2}complete: 1 running\n1 of 1 machines granted\.\n$/);
    const waited = await hfAwsJson(plugin, 'requests', 'create', 'good', '2', '--wait', '--interval', '0.1');
    expect(waited).toMatchObject({ exitCode: 0, body: { status: 'complete', counts: { succeed: 2 } } });
    const unknown = await hfAwsHere(plugin, ['requests', 'watch', 'req-00000000-0000-4000-8000-000000000000']);
    expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('request.not-found') });
  });

  it('completion completes nouns for bash', async () => {
    const script = await hfAws(plugin, ['completion']);
    expect(script).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('hf-aws') });
    const words = await hfAws(plugin, ['--get-yargs-completions', 'hf-aws', 're']);
    expect(words.stdout).toMatch(/^requests/m);
  });
});
