/** Notifies people of trouble: a part of its own, loaded only where channels are configured. */
import type { Agent } from 'node:http';
import { join } from 'node:path';
import type { NoticeMemory, Notifier, SentNotice } from '../../application/ports/notices.ts';
import { awsConnection } from '../../config/connection.ts';
import type { Environment } from '../../config/environment.ts';
import { type NotifySettings, readNotifySettings } from '../../config/notify-settings.ts';
import type { ProviderConfig } from '../../config/provider-config.ts';
import { hasCode, messageOf, PluginError } from '../../domain/errors.ts';
import { withoutSecrets } from '../../json/redact.ts';
import { type Channel, commandChannel, webhookChannel } from '../../notify/channels.ts';
import type { Condition, Sighting } from '../../notify/notices.ts';
import { createNotifier } from '../../notify/notifier.ts';
import { agentFor } from '../../providers/aws/wire/client-config.ts';
import { withLease } from '../../storage/lease.ts';
import { createNoticeMemory } from '../../storage/notice-memory.ts';
import { diagnoseWorkFolder } from '../../storage/work-folder.ts';
import type { Application } from '../composition.ts';
import { newId } from '../lazily.ts';

const minute = 60_000;
/** Longer than a check can take, in which each notice goes through two channels within their limits. */
const leaseTime = 15 * minute;

const faultOf = (work: () => Promise<unknown>): Promise<string | undefined> => work().then(() => undefined, messageOf);

const tryStore = async ({ environment, stranger }: Application): Promise<void> => {
  const [found] = await diagnoseWorkFolder(environment.workDir, stranger);
  if (found?.status === 'error') throw new Error(found.what);
};

/** What our records tell, and whether store and AWS are there. */
const lookAt = async (application: Application, settings: NotifySettings): Promise<Sighting> => {
  const { silentMinutes, refusedMinutes, unreachableMinutes } = settings;
  const conditions: Condition[] = [];
  const unreachable = (condition: string, summary: string): void => {
    if (unreachableMinutes > 0) conditions.push({ condition, subject: '', summary, hold: unreachableMinutes * minute });
  };
  const aws = await faultOf(application.askAws);
  if (aws !== undefined) unreachable('aws.unreachable', `AWS does not answer: ${aws}`);
  const store = await faultOf(async () => {
    await tryStore(application);
    const { alerts } = await application.service.listAlerts({ silentMinutes, refusedMinutes });
    conditions.push(...alerts.map((each) => ({ ...each, since: Date.parse(each.since) })));
  });
  if (store !== undefined) unreachable('store.unreachable', `The store cannot be used: ${store}`);
  const isUnknown = (condition: string): boolean => store !== undefined && !condition.endsWith('.unreachable');
  return { now: Date.now(), conditions, isUnknown };
};

/** The way to a webhook: through the proxy that AWS is behind, unless NO_PROXY names its host. */
const agentTo = async (url: string, config: ProviderConfig, env: Environment): Promise<Agent | undefined> => {
  const { proxy, noProxy } = awsConnection(config, env);
  if (proxy === undefined) return undefined;
  const { proxyAgents } = await import('../../providers/aws/wire/proxy-agents.ts');
  return agentFor({ agents: proxyAgents(proxy), noProxy }, new URL(url));
};

/** The channels to notify. */
export const channelsOf = async (
  { command, webhook }: Pick<NotifySettings, 'command' | 'webhook'>,
  config: ProviderConfig,
  env: Environment,
): Promise<Readonly<Record<string, Channel>>> => {
  const clock = (): number => Math.floor(Date.now() / 1000);
  return {
    ...(command === undefined ? {} : { command: commandChannel({ line: command, env: withoutSecrets(env) }) }),
    ...(webhook === undefined
      ? {}
      : { webhook: webhookChannel({ ...webhook, clock, agent: await agentTo(webhook.url, config, env) }) }),
  };
};

/** Goes on with what it last knew where the store is what there is to tell of. */
const sturdy = (memory: NoticeMemory): NoticeMemory => {
  let unwritten: Awaited<ReturnType<NoticeMemory['read']>> | undefined;
  return {
    read: async () => unwritten ?? (await memory.read().catch(() => [])),
    write: async (noted) => {
      unwritten = await memory.write(noted).then(
        () => undefined,
        () => noted,
      );
    },
  };
};

const noteIn =
  ({ log }: Application) =>
  ({ status, condition, subject, channel, fault }: SentNotice): void => {
    const text = `${status} ${condition} by ${channel}${fault === undefined ? '' : `: ${fault}`}`;
    if (fault === undefined) log.info('notify.told', text, { subject });
    else log.warn('notify.failed', text, { subject });
  };

const readSettings = ({ config, configFile = 'the configuration', environment }: Application, env: Environment) =>
  readNotifySettings({ written: config.notify, file: configFile, confDir: environment.confDir, env });

const notifierOf = async (
  application: Application,
  settings: NotifySettings,
  { env, memory }: { readonly env: Environment; readonly memory: NoticeMemory },
): Promise<Notifier> => {
  const { environment, about, config } = application;
  const notifier = createNotifier({
    channels: await channelsOf(settings, config, env),
    repeat: settings.repeatMinutes * minute,
    provider: about,
    memory,
    look: () => lookAt(application, settings),
    clock: Date.now,
    newId,
    sent: noteIn(application),
  });
  const lease = join(environment.workDir, 'cache', 'notify.lease');
  const check = async (): Promise<readonly SentNotice[] | undefined> => {
    try {
      return await withLease(lease, { lifetime: leaseTime, clock: Date.now }, () => notifier.check());
    } catch (error) {
      if (!hasCode(error, 'storage.unwritable')) throw error;
      // That is to be told.
      return notifier.check();
    }
  };
  return { ...notifier, check };
};

/** The notifier of one call. Throws `configuration.invalid` where nobody is to be notified, or not in the way that is configured. */
export const notifierFor = async (application: Application, env: Environment): Promise<Notifier> => {
  const settings = await readSettings(application, env);
  if (settings === undefined)
    throw new PluginError('configuration.invalid', 'nobody is to be notified: the configuration has no notify');
  const memory = sturdy(createNoticeMemory(application.environment.workDir));
  return notifierOf(application, settings, { env, memory });
};

/** One check after the other, of a server whose application may be replaced. What is wrong with the configuration is said once. */
export const notifying = (current: () => Application, env: Environment): (() => Promise<void>) => {
  const memory = sturdy(createNoticeMemory(current().environment.workDir));
  let said = '';
  return async () => {
    const application = current();
    try {
      const settings = await readSettings(application, env);
      said = '';
      if (settings !== undefined) await (await notifierOf(application, settings, { env, memory })).check();
    } catch (error) {
      if (!hasCode(error, 'configuration.invalid')) throw error;
      if (messageOf(error) !== said) application.log.warn('notify.failed', messageOf(error));
      said = messageOf(error);
    }
  };
};
