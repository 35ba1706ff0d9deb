import { describe, expect, it } from 'vitest';
import { PluginError } from '../../../src/domain/errors.ts';
import type { TableCall } from '../../../src/storage/dynamodb/table.ts';
import { diagnoseTable } from '../../../src/storage/dynamodb/table-doctor.ts';
import { emulatedTable, tableName } from '../../tables.ts';

const owner = 'cluster/awsinst';

/** The emulator's table, of which DynamoDB tells something else in answer to one action. */
const telling = (action?: string, change: (answer: object) => object = (answer) => answer): TableCall => {
  const { call } = emulatedTable();
  return async (asked, input) => {
    const answer = await call(asked, input);
    return asked === action ? change(Object(answer)) : answer;
  };
};

/** A table that differs from ours. */
const table = (fields: object): TableCall =>
  telling('DescribeTable', (answer) => ({
    Table: { ...('Table' in answer ? Object(answer.Table) : {}), ...fields },
  }));

const found = async (call: TableCall) =>
  (await diagnoseTable({ name: tableName, owner, call })).map(({ status, what }) => `${status} ${what}`);

describe('the table of the state, as doctor sees it', () => {
  it('works, and its role may write what others keep there', async () =>
    expect(await found(telling())).toEqual([
      expect.stringMatching(/^ok hf-state holds the state of cluster\/awsinst: .*, \d+ ms a call$/),
      "warning this role may write other providers' state to hf-state",
    ]));

  it('is left as it was', async () => {
    const { call } = emulatedTable();
    await diagnoseTable({ name: tableName, owner, call });
    for (const pk of [`${owner}#doctor`, 'hf-aws-doctor/nobody#doctor']) {
      const left = await call('Query', {
        TableName: tableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: pk } },
      });
      expect(left).toMatchObject({ Count: 0 });
    }
  });

  it('is confined where others’ keys are denied', async () => {
    const { call } = emulatedTable();
    const confined: TableCall = async (action, input) => {
      if (JSON.stringify(input).includes('nobody#')) throw new PluginError('provider.denied', 'denied');
      return call(action, input);
    };
    expect(await found(confined)).toEqual([expect.stringMatching(/^ok /)]);
  });

  it.each([
    ['is being made', { TableStatus: 'CREATING' }, /is CREATING$/],
    ['has other keys', { KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] }, /has the keys id, not pk, sk$/],
    ['has no index', { GlobalSecondaryIndexes: [] }, /has no index feed with the keys f, o$/],
    [
      'is global with eventual consistency',
      { Replicas: [{ RegionName: 'eu-west-1' }] },
      /is a global table with eventual consistency$/,
    ],
  ])('is an error where it %s, and nothing is tried', async (_, fields, what) =>
    expect(await found(table(fields))).toEqual([expect.stringMatching(what)]),
  );

  it('may be global with strong consistency', async () =>
    expect(
      await found(table({ Replicas: [{ RegionName: 'eu-west-1' }], MultiRegionConsistency: 'STRONG' })),
    ).toContainEqual(expect.stringMatching(/^ok /)));

  it('is warned of where it may be deleted, or what is lost is gone', async () => {
    expect(await found(table({ DeletionProtectionEnabled: false }))).toContain('warning hf-state may be deleted');
    expect(await found(telling('DescribeContinuousBackups', () => ({})))).toContain(
      'warning hf-state has no point-in-time recovery',
    );
  });

  it('is an error that names the table where it cannot be had', async () => {
    const denied: TableCall = async () => {
      throw new PluginError('provider.denied', 'not allowed');
    };
    expect(await found(denied)).toEqual(['error hf-state cannot be used: not allowed']);
  });
});
