import { invalidValue, ServiceError } from '../wire/service-error.ts';

// EC2 user guide: 16 KB, before it is encoded.
const longestUserData = 16_384;

export const checkUserData = (userData: string): void => {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(userData))
    throw new ServiceError('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data');
  if (Buffer.from(userData, 'base64').length > longestUserData)
    throw invalidValue(`User data is limited to ${longestUserData} bytes`);
};
