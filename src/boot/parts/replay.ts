/** `hf-aws replay`: a part of its own. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReplayDifference, ReplayOrder, ReplayReport } from '../../application/ports/replay.ts';
import type { Environment } from '../../config/environment.ts';
import { messageOf, PluginError } from '../../domain/errors.ts';
import { isOperation, operationOf } from '../../hostfactory/operations.ts';
import { forRecording } from '../../recording/call-recorder.ts';
import { answerDifferences } from '../../recording/compare.ts';
import { createIdMap, type IdMap } from '../../recording/id-map.ts';
import { isJson, jsonIn, listOf, objectsIn, textOf } from '../../recording/json-value.ts';
import { createKnownIds } from '../../recording/known-ids.ts';
import { launchTemplatesIn, toldLater } from '../../recording/observations.ts';
import type { RecordedCall, RecordedSettings } from '../../recording/record-form.ts';
import { type Recordings, readRecordings } from '../../recording/recordings.ts';
import type { Application, ComposeOptions } from '../composition.ts';
import { createReplayRegion } from './replay-region.ts';

interface ReplayContext {
  readonly home: string;
  readonly version: string;
  readonly compose: (options: ComposeOptions) => Promise<Application>;
}

/** Parameters that lead elsewhere than to the emulator and the scratch folder. */
const elsewhere =
  /^(AWS_(CREDENTIAL|ROLE|ENDPOINT|PROXY|KEY|REGION)|state(Table|Region|Endpoint)|metrics|recordCalls|useServer)/;

/** Without what was taken out when it was recorded; user data is a script that does nothing. */
const usable = (value: unknown, script: string): unknown => {
  if (Array.isArray(value)) return value.map((each) => usable(each, script));
  if (!isJson(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      if (each === '<removed>') return [];
      const isScript = /^userdata(script|file)$/i.test(name.replaceAll(/[_-]/g, '')) && typeof each === 'string';
      return [[name, isScript ? script : usable(each, script)] as const];
    }),
  );
};

/** The folders of a provider instance of its own. */
const createStage = (folder: string) => {
  const place = (name: string): string => join(folder, name);
  for (const name of ['conf', 'work', 'log']) mkdirSync(place(name), { mode: 0o700 });
  const [script, credentials] = [place('user-data.sh'), place('credentials')];
  writeFileSync(script, '#!/bin/sh\n', { mode: 0o600 });
  writeFileSync(credentials, '[default]\naws_access_key_id = AKIAREPLAY\naws_secret_access_key = none\n', {
    mode: 0o600,
  });
  const put = (name: string, value: unknown): void =>
    writeFileSync(join(place('conf'), name), JSON.stringify(value, null, 2), { mode: 0o600 });
  return {
    workDir: place('work'),
    settle: ({ region, config, templates }: RecordedSettings): void => {
      const kept = Object.entries(config).filter(([name]) => !elsewhere.test(name));
      const own = { AWS_REGION: region ?? 'us-east-1', AWS_CREDENTIAL_FILE: credentials };
      put('awsprov_config.json', { ...Object(usable(Object.fromEntries(kept), script)), ...own });
      put('awsprov_templates.json', usable(templates, script));
    },
    env: (provider: string): Environment => ({
      HF_PROVIDER_NAME: provider,
      HF_PROVIDER_CONFDIR: place('conf'),
      HF_PROVIDER_WORKDIR: place('work'),
      HF_PROVIDER_LOGDIR: place('log'),
      PATH: process.env['PATH'],
    }),
  };
};

/** Folders whose files say by their age how long something has lasted. */
const dated = ['live', 'groups', 'failures', 'offerings'];

/** Gives what a call has just written the time of the recorded call: files cannot be written in another time. */
const backdate = (path: string, begun: number, now: number): void => {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const each = join(path, entry.name);
    if (entry.isDirectory()) backdate(each, begun, now);
    if (statSync(each).mtimeMs >= begun) utimesSync(each, now / 1000, now / 1000);
  }
};

/** What the emulator cannot do, template by template. `shown`: ids of launch templates whose content is recorded. */
const templateNotes = ({ templates }: RecordedSettings, shown: ReadonlySet<string>): readonly string[] =>
  listOf(jsonIn(templates)['templates'])
    .map(jsonIn)
    .flatMap((template) => {
      const id = textOf(template['templateId']);
      const { launchTemplateId, launchTemplateName, ec2FleetConfig } = template;
      const theirs = textOf(launchTemplateId) || textOf(launchTemplateName);
      return [
        ...(theirs === '' || shown.has(theirs)
          ? []
          : [
              `${id} launches by launch template ${theirs} of the account, which the recording does not show: what the emulator answers will differ`,
            ]),
        ...(ec2FleetConfig === undefined ? [] : [`${id} names a file, which is not recorded`]),
      ];
    });

const counted = (calls: number, what: string): readonly string[] =>
  calls === 0 ? [] : [`${calls} ${calls === 1 ? 'call' : 'calls'} ${what}`];

const notesOn = ({ calls, settings }: Recordings, counts: { older: number; parts: number; unread: number }) => {
  const used = [...settings.values()];
  const shown = new Set(launchTemplatesIn(calls.flatMap(({ aws }) => aws)).map(({ id }) => id));
  const later = calls.reduce((sum, { aws }) => sum + aws.reduce((all, each) => all + toldLater(each), 0), 0);
  const priced = used.some(({ config }) => !['none', undefined].includes(textOf(config['rankBy']) || undefined));
  return [
    ...counted(counts.older, 'about requests and machines older than the recording, left out'),
    ...counted(counts.parts, 'replayed without what is older than the recording'),
    ...counted(counts.unread, 'with an input that could not be read, left out'),
    ...(later === 0
      ? []
      : [
          `${later} refusals that fleets and groups told of later are not repeated: fleets of the emulator fill at once`,
        ]),
    ...(priced ? ['ranks by price go by the prices that this version ships, not by those of the recorded host'] : []),
    ...new Set(used.flatMap((each) => templateNotes(each, shown))),
  ];
};

/** Names and addresses of machines, by their ids in both answers. */
const learnMachines = (ids: IdMap, before: unknown, now: unknown): void => {
  const there = new Map(objectsIn(now).map((each) => [textOf(each['machineId']), each]));
  for (const machine of objectsIn(before)) {
    const other = there.get(ids.of(textOf(machine['machineId'])) ?? '');
    if (other === undefined) continue;
    for (const field of ['name', 'privateIpAddress']) ids.learn(textOf(machine[field]), textOf(other[field]));
  }
};

interface Tally {
  calls: number;
  different: number;
  skipped: number;
}

/**
 * Plays recorded calls of Host Factory, in their order and at their times, against the emulator, in a folder of its own. Throws
 * `input.unreadable` where there are none.
 */
export const replay = async (
  { home, version, compose }: ReplayContext,
  { path, keep, progress = () => undefined }: ReplayOrder,
): Promise<ReplayReport> => {
  const recordings = readRecordings(path);
  const { calls, settings, warnings } = recordings;
  const [first, last] = [calls[0], calls.at(-1)];
  const regionOf = ({ settings: digest }: RecordedCall) => settings.get(digest)?.region ?? 'us-east-1';
  if (first === undefined || last === undefined) throw new PluginError('input.unreadable', `no calls in ${path}`);

  let now = Date.parse(first.at);
  const ids = createIdMap();
  const known = createKnownIds();
  const region = createReplayRegion({ now: () => now, region: regionOf(first), calls, ids });
  const clean = forRecording([]);
  const folder = mkdtempSync(join(tmpdir(), 'hf-aws-replay-'));
  const stage = createStage(folder);
  const begun = Math.floor(Date.now() / 1000) * 1000;
  let standing = '';

  const run = async ({ operation, settings: digest }: RecordedCall, input: unknown) => {
    const wanted = settings.get(digest);
    if (wanted === undefined) return undefined;
    if (digest !== standing) stage.settle(wanted);
    standing = digest;
    if (!isOperation(operation)) return undefined;
    const world = { now: () => now, exchange: region.exchange };
    const application = await compose({ env: stage.env(wanted.provider), home, world });
    try {
      const { body, afterwards } = await operationOf(operation).run(application, input);
      await afterwards?.();
      return { status: 0, answer: body };
    } catch (error) {
      return { status: 1, answer: { message: messageOf(error) } };
    } finally {
      await application.log.flush();
      for (const name of readdirSync(stage.workDir).filter((each) => dated.includes(each)))
        backdate(join(stage.workDir, name), begun, now);
    }
  };

  const tallies = new Map<string, Tally>();
  const counts = { older: 0, parts: 0, unread: 0 };
  const differences: ReplayDifference[] = [];
  const play = async (call: RecordedCall): Promise<void> => {
    const tally = tallies.get(call.operation) ?? { calls: 0, different: 0, skipped: 0 };
    tallies.set(call.operation, tally);
    const { input, answer, isPart, isEmpty } = known.partOf(call);
    const skip = (why: 'older' | 'unread'): void => {
      counts[why] += 1;
      tally.skipped += 1;
    };
    if (call.input === undefined) return skip('unread');
    if (isEmpty) return skip('older');
    if (isPart) counts.parts += 1;
    now = Math.max(now, Date.parse(call.at));
    region.follow(call);
    const came = await run(call, ids.translate(input));
    if (came === undefined) return skip('unread');
    region.leave();
    known.learn(call);
    const replayed = clean(came.answer);
    ids.learn(textOf(jsonIn(answer)['requestId']), textOf(jsonIn(replayed)['requestId']));
    learnMachines(ids, answer, replayed);
    const before = { status: call.status, answer: ids.translate(answer) };
    const found = answerDifferences(call.operation, before, { status: came.status, answer: replayed }, isPart);
    tally.calls += 1;
    if (found.length > 0) tally.different += 1;
    const { at, operation, call: id } = call;
    differences.push(...found.map((each) => ({ at, operation, call: id, ...each })));
  };

  try {
    for (const [index, call] of calls.entries()) {
      progress('call', index, calls.length);
      await play(call);
    }
  } finally {
    if (!keep) rmSync(folder, { recursive: true, force: true });
  }
  const versions = [...new Set(calls.map((call) => call.version))];
  return {
    version,
    recorded: { from: first.at, to: last.at, calls: calls.length, versions },
    operations: [...tallies].map(([operation, tally]) => ({ operation, ...tally })),
    differences,
    notes: notesOn(recordings, counts),
    warnings,
    ...(keep ? { folder } : {}),
  };
};
