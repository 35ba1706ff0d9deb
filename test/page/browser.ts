import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Chromium as the system has it. `.ci/run` installs it: there its absence is a fault, elsewhere these tests are left out. */
export const chromiumPath = places.find((place) => existsSync(place));
if (chromiumPath === undefined && process.env['CI'] !== undefined)
  throw new Error('the tests of the page need Chromium');

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath ?? '', args: ['--no-sandbox'] });

export interface Visit {
  readonly page: Page;
  /** Whatever the browser complained of. */
  readonly complaints: readonly string[];
  /** Where it asked for something. */
  readonly asked: readonly string[];
}

export const visit = async (browser: Browser, size = { width: 1280, height: 900 }): Promise<Visit> => {
  const page = await browser.newPage({ viewport: size, timezoneId: 'UTC' });
  page.setDefaultTimeout(20_000);
  const [complaints, asked]: [string[], string[]] = [[], []];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => asked.push(request.url()));
  return { page, complaints, asked };
};
