import { defaultProvider } from '@aws-sdk/credential-provider-node';

// The SDK warns about Node 20 on stderr at each start; the README says which Node versions are supported.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

/** The AWS SDK's own chain: environment, shared files, the instance's role. Remembers what it found until that expires. */
export const findCredentials = defaultProvider();
