import { describe, expect, it } from 'vitest';
import { createAwsClock } from '../../../../../src/providers/aws/wire/aws-clock.ts';
import { clientConfig } from '../../../../../src/providers/aws/wire/client-config.ts';
import type { Message, Received } from '../../../../../src/providers/aws/wire/exchange.ts';
import { type JsonAction, type JsonConnection, jsonCall } from '../../../../../src/providers/aws/wire/json-call.ts';
import { createRecordingLog } from '../../../recording-log.ts';

const getParameter: JsonAction = { service: 'ssm', target: 'AmazonSSM.GetParameter', version: '1.1' };

const answer = (fields: Partial<Received>): Received => ({
  status: 200,
  contentType: 'application/x-amz-json-1.1',
  requestId: 'r-1',
  errorType: undefined,
  text: '{}',
  date: undefined,
  at: 0,
  isFromProxy: false,
  ...fields,
});

/** A connection to an AWS that gives these answers, one a call, and keeps what it was sent. */
const connected = async (...answers: readonly Received[]) => {
  const left = [...answers];
  const sent: { readonly url: URL; readonly message: Message }[] = [];
  const client = await clientConfig(
    {
      region: 'eu-west-1',
      connectionTimeoutMs: 1000,
      requestTimeoutMs: 1000,
      useFips: false,
      exchange: async (url, message) => {
        sent.push({ url, message });
        return left.shift() ?? answer({ status: 500, text: 'none left' });
      },
    },
    createAwsClock(Date.now),
    async () => ({ accessKeyId: 'AKIA1', secretAccessKey: 's3cr3t' }),
  );
  const { signal } = new AbortController();
  const reads = { retries: 1, interval: 0 };
  const connection: JsonConnection = { client, reads, log: createRecordingLog(), signal, random: () => 0 };
  return { connection, sent };
};

const throttled = answer({ status: 400, text: '{"__type":"ThrottlingException","message":"slowly"}' });

describe('a call of a JSON service', () => {
  it('goes to the service of its Region, names its action, and answers with the object that came', async () => {
    const { connection, sent } = await connected(answer({ text: '{"Parameter":{"Value":"ami-1"}}' }));
    expect(await jsonCall(connection, getParameter, { Name: '/grid/image' })).toEqual({
      Parameter: { Value: 'ami-1' },
    });
    const [{ url, message } = { url: undefined, message: undefined }] = sent;
    expect(url?.host).toBe('ssm.eu-west-1.amazonaws.com');
    expect(message?.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.GetParameter',
    });
    expect(message?.body).toBe('{"Name":"/grid/image"}');
  });

  it('is tried again where AWS throttles it', async () => {
    const { connection, sent } = await connected(throttled, answer({ text: '{"Parameter":{}}' }));
    expect(await jsonCall(connection, getParameter, {})).toEqual({ Parameter: {} });
    expect(sent).toHaveLength(2);
  });

  it('is tried as often as its action says, and then told with the code of the fault', async () => {
    const { connection, sent } = await connected(throttled, answer({}));
    const call = jsonCall(connection, { ...getParameter, retry: { retries: 0, interval: 0 } }, {});
    await expect(call).rejects.toMatchObject({
      code: 'provider.throttled',
      aws: { code: 'ThrottlingException', action: 'GetParameter' },
    });
    expect(sent).toHaveLength(1);
  });

  it('leaves open what happened where the answer lacks what is looked for', async () => {
    const { connection } = await connected(answer({ text: '{"Other":1}' }), answer({ text: '{"Other":1}' }));
    const call = jsonCall(connection, getParameter, {}, (body) =>
      new Map(Object.entries(Object(body))).get('Parameter'),
    );
    await expect(call).rejects.toMatchObject({ code: 'provider.transient' });
  });
});
