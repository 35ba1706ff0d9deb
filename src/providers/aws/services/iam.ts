import { fieldOf, queryAnswer } from '../wire/aws-answer.ts';
import { callAws } from '../wire/call.ts';
import { postSigned } from '../wire/post-signed.ts';
import type { IdentityOptions } from './account.ts';

const list = (value: unknown): readonly unknown[] => {
  const members = fieldOf(value, 'member');
  if (members === undefined) return [];
  return Array.isArray(members) ? members : [members];
};

/** IAM: entries per page. */
const perPage = 100;

/** The instance profiles of the account with the roles in them, the first page. Throws `provider.*`. */
export const instanceProfiles = ({
  client,
  reads,
  ...context
}: IdentityOptions): Promise<readonly { readonly name: string; readonly roles: readonly string[] }[]> =>
  callAws(context, reads, 'ListInstanceProfiles', async (signal) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `Action=ListInstanceProfiles&Version=2010-05-08&MaxItems=${perPage}`;
    const content = queryAnswer('ListInstanceProfiles', await postSigned('iam', client, { headers, body }, signal));
    const profiles = fieldOf(fieldOf(content, 'ListInstanceProfilesResult'), 'InstanceProfiles');
    return list(profiles).map((each) => ({
      name: String(fieldOf(each, 'InstanceProfileName')),
      roles: list(fieldOf(each, 'Roles')).map((role) => String(fieldOf(role, 'RoleName'))),
    }));
  });
