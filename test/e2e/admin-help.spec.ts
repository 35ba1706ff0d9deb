import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { expectGolden, hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, type Plugin } from './plugin.ts';

describe('every command', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  const good = () => ({ templateId: 'good', maxNumber: 4, vmType: 'm5.large', ...backend.place });

  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, [good()]);
  });
  afterAll(async () => {
    await plugin.remove();
    await backend.close();
  });

  interface Page {
    readonly command: readonly string[];
    readonly text: string;
    readonly below: readonly string[];
  }
  const pageOf = async (...command: readonly string[]): Promise<Page> => {
    // yargs prints its help by itself.
    const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const { exitCode } = await hfAwsHere(plugin, [...command, '--help']);
    const stdout = printed.mock.calls.join('\n');
    printed.mockRestore();
    expect([command, exitCode]).toEqual([command, 0]);
    const listed = stdout.split('\n').map((line) => /^ {2}hf-aws (.*)/.exec(line)?.[1]?.split(' ') ?? []);
    const below = /\n(Commands):\n/.test(stdout) ? listed.map((words) => words[command.length] ?? '') : [];
    return { command, text: stdout, below: below.filter((word) => /^[a-z-]+$/.test(word) && word !== 'completion') };
  };

  it('has help that fits 80 columns, with an example each, as it was looked at', async () => {
    const top = await pageOf();
    const nouns: Page[] = [];
    for (const noun of top.below) nouns.push(await pageOf(noun));
    const verbs: Page[] = [];
    for (const { command, below } of nouns) for (const verb of below) verbs.push(await pageOf(...command, verb));
    expect(nouns.length).toBeGreaterThan(15);
    expect(verbs.length).toBeGreaterThan(20);
    const leaves = [...nouns.filter(({ below }) => below.length === 0), ...verbs];
    expect(leaves.filter(({ text }) => !text.includes('\nExamples:\n  hf-aws ')).map(({ command }) => command)).toEqual(
      [],
    );
    const all = [
      top,
      ...nouns.flatMap((noun) => [noun, ...verbs.filter(({ command }) => command[0] === noun.command[0])]),
    ];
    const text = all.map((page) => page.text.trimEnd()).join('\n\n----\n');
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    await expectGolden('help.txt', `${text}\n`);
  });

  it.each([
    ['requests lsit', /Did you mean list\?/],
    ['machines retrun i-1', /Did you mean return\?/],
    ['request list', /Did you mean requests\?/],
    ['docter', /Did you mean doctor\?/],
    ['templates show', /an argument is missing: hf-aws templates show <templateId>/],
    ['templates list --filtr a=b', /Unknown argument: filtr; did you mean --filter\?/],
    ['lst', /^Unknown command: lst\nhf-aws --help lists the commands\n$/],
    ['requests lst', /Did you mean list\?/],
    ['support --out=', /^--out must name one file\n/],
    ['', /Name a command/],
  ])('"%s" is wrong usage, and is told what was probably meant', async (line, text) => {
    const said = await hfAwsHere(plugin, line.split(' ').filter(Boolean));
    expect(said).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(text) });
  });

  it('that needs a verb prints its help where none is named', async () => {
    const nouns = (await pageOf()).below;
    let count = 0;
    for (const noun of nouns) {
      if ((await pageOf(noun)).below.length === 0) continue;
      const verbs =
        /^Name a command for [a-z-]+: [a-z-]+(, [a-z-]+)*( or [a-z-]+)?\n\nhf-aws [a-z-]+\n[\s\S]*Commands:/;
      expect(await hfAwsHere(plugin, [noun])).toMatchObject({
        exitCode: 2,
        stdout: '',
        stderr: expect.stringMatching(verbs),
      });
      count += 1;
    }
    expect(count).toBeGreaterThan(10);
  });

  it('lets no terminal obey what others have written', async () => {
    await plugin.offer([good(), { templateId: 'ev\u001b]0;owned\u0007il', maxNumber: 1 }]);
    const { stderr } = await hfAwsHere(plugin, ['templates', 'list']);
    await plugin.offer([good()]);
    expect(stderr).toContain('ev\\u001b]0;owned\\u0007il is left out');
  });

  it('that reads prints one JSON document with --json, and nothing else', async () => {
    const requestId = await plugin.request('good', 1);
    const [machine] = (await plugin.settled(requestId)).machines;
    const reads = [
      ['templates', 'list'],
      ['templates', 'show', 'good'],
      ['templates', 'validate'],
      ['templates', 'explain-launch', 'good', '2'],
      ['requests', 'list'],
      ['requests', 'show', requestId, '--machines'],
      ['requests', 'explain', requestId],
      ['requests', 'watch', requestId],
      ['requests', 'create', 'good', '1', '--dry-run'],
      ['machines', 'list'],
      ['machines', 'show', String(machine?.machineId)],
      ['machines', 'explain', String(machine?.machineId)],
      ['machines', 'return', String(machine?.machineId), '--dry-run'],
      ['events', 'list'],
      ['usage'],
      ['projections', 'status'],
      ['projections', 'rebuild'],
      ['offerings', 'list'],
      ['launch-templates', 'gc'],
      ['reconcile'],
      ['config', 'show'],
      ['config', 'validate'],
      ['metrics'],
      ['doctor'],
      ['import-ibm', plugin.env['HF_PROVIDER_CONFDIR'] ?? ''],
    ];
    for (const command of reads) {
      const { exitCode, stderr, body } = await hfAwsJson(plugin, ...command);
      expect([command, exitCode, stderr, Object.keys(body).length > 0]).toEqual([command, 0, '', true]);
    }
    expect(await hfAwsJson(plugin, 'requests', 'show', 'req-none')).toMatchObject({
      exitCode: 1,
      stderr: '',
      body: { error: { code: expect.any(String), message: expect.any(String) } },
    });
  });

  it('that lists or shows prints the same as YAML, as CSV under one heading and by name, for the next command', async () => {
    const requestId = await plugin.request('good', 1);
    const [machine] = (await plugin.settled(requestId)).machines;
    const machineId = String(machine?.machineId);
    const lists: readonly (readonly [command: string, names: unknown])[] = [
      ['templates list', ['good']],
      ['templates show good', ['good']],
      ['requests list', expect.arrayContaining([requestId])],
      [`requests show ${requestId}`, [requestId]],
      ['machines list', expect.arrayContaining([machineId])],
      [`machines show ${machineId}`, [machineId]],
      [`events list --request ${requestId}`, expect.arrayContaining([expect.stringMatching(`^\\d+-${requestId}-0$`)])],
      ['prices list', ['good']],
      ['projections status', ['requests', 'machines', 'counters', 'capacity']],
      ['config show', expect.arrayContaining(['AWS_REGION', 'LogLevel'])],
      ['offerings list', []],
      ['launch-templates gc', []],
      ['reconcile', []],
    ];
    for (const [command, names] of lists) {
      const inForm = async (form: string): Promise<string> => {
        const { exitCode, stdout, stderr } = await hfAwsHere(plugin, [...command.split(' '), '-o', form]);
        expect([command, form, exitCode, stderr]).toEqual([command, form, 0, '']);
        return stdout;
      };
      const rows = (await inForm('csv')).trimEnd().split('\r\n');
      expect([command, parse(await inForm('yaml'))]).toEqual([command, JSON.parse(await inForm('json'))]);
      const told = (await inForm('name')).split('\n').filter((line) => line !== '');
      expect([command, told]).toEqual([command, names]);
      expect([command, rows.length]).toEqual([command, told.length + 1]);
      expect([command, rows[0]]).toEqual([command, expect.stringMatching(/^[\w.]+(,[\w.]+)+$/)]);
    }
    expect(await hfAwsHere(plugin, ['usage', '-o', 'csv'])).toMatchObject({
      stdout: expect.stringMatching(/^template,machines,.*\r\ngood,\d/),
    });
    expect(await hfAwsHere(plugin, ['requests', 'create', 'good', '1', '--wait', '-o', 'name'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^req-[0-9a-f-]{36}\n$/),
    });
  });

  it.each([
    ['doctor -o csv', /output must be one of table, wide, json, yaml, not "csv"/],
    ['requests list -o csv --wide', /-o csv and --wide exclude each other/],
    ['requests list -o xml', /output must be one of table, wide, json, yaml, csv, name/],
  ])('"%s" asks for a form that is not there', async (line, text) => {
    expect(await hfAwsHere(plugin, line.split(' '))).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(text),
    });
  });
});
