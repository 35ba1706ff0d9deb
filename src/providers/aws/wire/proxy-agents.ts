import type { Agent } from 'node:http';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

/** The way through the proxy by protocol: a part of its own, for those who have one. */
export const proxyAgents = (proxy: string): Readonly<Record<string, Agent>> => ({
  'http:': new HttpProxyAgent(proxy),
  'https:': new HttpsProxyAgent(proxy),
});
