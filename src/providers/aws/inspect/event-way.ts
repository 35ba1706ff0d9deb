import { isPluginError, messageOf } from '../../../domain/errors.ts';
import type { Diagnosis } from '../../../domain/finding.ts';
import { callSqs } from '../services/event-queue.ts';
import { fieldOf } from '../wire/aws-answer.ts';
import { type JsonConnection, jsonCall } from '../wire/json-call.ts';
import { cureOfAws } from './cures.ts';

const subject = 'event queue';

const listRuleNames = { service: 'events', target: 'AWSEvents.ListRuleNamesByTarget', version: '1.1' } as const;

/** How many rules of EventBridge send to the queue, as far as one answer shows. */
const rulesTo = async (connection: JsonConnection, queueArn: string): Promise<number> => {
  const names = await jsonCall(connection, listRuleNames, { TargetArn: queueArn }, (answer) =>
    fieldOf(answer, 'RuleNames'),
  );
  return Array.isArray(names) ? names.length : 0;
};

/** Whether events get from AWS into the queue and from there to us: the queue can be read, EventBridge may send, a rule sends. */
export const diagnoseEventWay = async (connection: JsonConnection, url: string): Promise<readonly Diagnosis[]> => {
  const why = 'without events, all hosts are checked each time Host Factory asks for reclaimed ones';
  const cure = 'create the queue and its rules by config/aws/event-queue.cloudformation.yaml';
  try {
    const answer = await callSqs(connection, 'GetQueueAttributes', { QueueUrl: url, AttributeNames: ['All'] });
    const attribute = (name: string): string => String(fieldOf(fieldOf(answer, 'Attributes'), name) ?? '');
    if (!attribute('Policy').includes('events.amazonaws.com'))
      return [
        { subject, status: 'warning', code: 'events.unsent', what: `EventBridge may not send to ${url}`, why, cure },
      ];
    const rules = await rulesTo(connection, attribute('QueueArn'));
    if (rules === 0)
      return [
        { subject, status: 'warning', code: 'events.unsent', what: `no EventBridge rule sends to ${url}`, why, cure },
      ];
    const waiting = attribute('ApproximateNumberOfMessages');
    return [{ subject, status: 'ok', what: `${url}: ${rules} rules send to it, ${waiting} messages wait` }];
  } catch (error) {
    if (!isPluginError(error)) throw error;
    const what = messageOf(error);
    return [{ subject, status: 'warning', code: 'events.unreadable', what, why, cure: cureOfAws(error) }];
  }
};
