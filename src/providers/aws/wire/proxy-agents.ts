import type { Agent } from 'node:http';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

/** The way through the proxy by protocol: a part of its own, for those who have one. `certificates`: for one that is spoken to by TLS. */
export const proxyAgents = (
  proxy: string,
  certificates: { readonly ca?: string[] } = {},
): Readonly<Record<string, Agent>> => ({
  'http:': new HttpProxyAgent(proxy, certificates),
  'https:': new HttpsProxyAgent(proxy, certificates),
});
