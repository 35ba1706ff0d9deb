/** What takes down the calls of Host Factory: a part of its own, which nobody loads who does not ask for it. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { CallRecorder } from '../../application/ports/recording.ts';
import type { Logger } from '../../application/ports/telemetry.ts';
import { candidates, type Environment, type ProviderEnvironment } from '../../config/environment.ts';
import { rereading } from '../../config/json-file.ts';
import type { ProviderConfigReading } from '../../config/provider-config.ts';
import { readPlainFile } from '../../json/plain-file.ts';
import { secretsIn } from '../../json/redact.ts';
import { createCallRecorder } from '../../recording/call-recorder.ts';
import type { RecordedSettings } from '../../recording/record-form.ts';
import { version } from '../version.ts';

interface Recorded {
  readonly env: Environment;
  readonly environment: ProviderEnvironment;
  readonly reading: ProviderConfigReading;
  readonly region: string | undefined;
  readonly log: Logger;
}

/** The folder of the recordings in a work folder. */
export const recordingsIn = (workDir: string): string => join(workDir, 'recordings');

/** Empty for a file that is not there: whoever needs it says so. */
const textIn = (file: string | undefined): string => {
  try {
    return file === undefined ? '' : readPlainFile(file).toString('utf8');
  } catch {
    return '';
  }
};

export const callRecorder = ({ env, environment, reading, region, log }: Recorded): CallRecorder => {
  const { config, written } = reading;
  const values = new Map<string, unknown>(Object.entries(config));
  const given = Object.fromEntries(written.map((name) => [name, values.get(name)]));
  const readTemplates = rereading();
  let last: { readonly file: unknown; readonly settings: RecordedSettings } | undefined;
  const settings = async (): Promise<RecordedSettings> => {
    const file = await readTemplates(candidates(environment, 'prov_templates.json')).catch(() => undefined);
    if (last === undefined || last.file !== file) {
      const { providerName: provider } = environment;
      last = { file, settings: { provider, region, config: given, templates: file?.value ?? null } };
    }
    return last.settings;
  };
  return createCallRecorder({
    folder: recordingsIn(environment.workDir),
    host: hostname(),
    version,
    days: config.recordCallsDays,
    bytes: config.recordCallsMegabytes * 1_048_576,
    settings,
    secrets: () => secretsIn(env, textIn(config.AWS_CREDENTIAL_FILE)),
    failed: (why) => log.warn('recording.failed', why),
  });
};
