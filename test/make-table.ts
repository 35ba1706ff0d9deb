/** What config/aws makes. */
const definition = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk', 'f', 'o'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'feed',
      KeySchema: [
        { AttributeName: 'f', KeyType: 'HASH' },
        { AttributeName: 'o', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
};

/** CreateTable, which the program never calls, and a look whether it is there. */
export const makeTable = async (url: string, TableName: string): Promise<void> => {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    authorization:
      'AWS4-HMAC-SHA256 Credential=a/20261128/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a',
    'x-amz-date': '20261128T000000Z',
  };
  const ask = (action: string, input: object): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { ...headers, 'x-amz-target': `DynamoDB_20120810.${action}` },
      body: JSON.stringify(input),
    });
  const made = await ask('CreateTable', { ...definition, TableName });
  if (!made.ok) throw new Error(await made.text());
  for (;;) {
    const text = await (await ask('DescribeTable', { TableName })).text();
    if (text.includes('ACTIVE')) return;
  }
};
