/** The state in a DynamoDB table, and the way there. */
export { createClient } from '../../providers/aws/client.ts';
export { connectToTable, tableCaller } from '../../providers/aws/services/state-table.ts';
export { createTableStore } from '../../storage/dynamodb/table-store.ts';
