import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from '../e2e/backends.ts';
import { type Server, startServer } from '../e2e/entries.ts';
import { createPlugin, hostOf, type Plugin } from '../e2e/plugin.ts';
import { testTemplates } from '../e2e/templates.ts';
import { chromiumPath, startBrowser, visit } from './browser.ts';

const pictures = join(import.meta.dirname, 'pictures');
const phone = { width: 390, height: 844 };

/** A picture to look at; kept where it is asked for by `PICTURES=write`. */
const picture = async (page: Page, name: string): Promise<void> => {
  if (process.env['PICTURES'] !== 'write') return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
};

/** From now on it hears of what happens. */
const isLive = (page: Page) => page.getByText('live', { exact: true }).waitFor();

/** What a tile of the overview says. */
const tile = (page: Page, name: string) => page.locator('.tile', { hasText: name }).locator('.value');

/** What is wrong for those who do not see the page or have no mouse. */
const barriers = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source);
  const found: { readonly violations: readonly { readonly id: string; readonly help: string }[] } =
    await page.evaluate('axe.run()');
  return found.violations.map(({ id, help }) => `${id}: ${help}`);
};

describe.skipIf(chromiumPath === undefined)('the page', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
    server = await startServer(plugin);
    browser = await startBrowser();
  });
  beforeEach(() => backend.emulator.configure({ pendingMs: 300 }));
  afterAll(async () => {
    await browser.close();
    await server.stop();
    await plugin.remove();
    await backend.close();
  });

  const granted = async (machines: number) => {
    const id = await plugin.request('all', machines);
    return { id, ...(await plugin.settled(id)) };
  };

  it('shows a life cycle as it happens, with nothing from elsewhere and nothing that the browser complains of', async () => {
    const { page, complaints, asked } = await visit(browser);
    await page.goto(server.url);
    await isLive(page);
    await tile(page, 'Machines running').filter({ hasText: /^0$/ }).waitFor();
    const { id, machines } = await granted(3);
    await tile(page, 'Machines running').filter({ hasText: /^3$/ }).waitFor();
    await page.getByRole('figure').getByText('3 machines now').waitFor({ state: 'attached' });
    await picture(page, 'overview');
    await page.getByRole('link', { name: 'Events' }).click();
    await page.getByText('AWS granted 3').waitFor();
    await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
    await page.getByText('the return is over').waitFor();
    await page
      .getByRole('link', { name: id.slice(0, 12) })
      .first()
      .click();
    await page.getByRole('dialog').getByText('given back by').waitFor();
    await picture(page, 'explained');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Overview' }).click();
    await tile(page, 'Machines running').filter({ hasText: /^0$/ }).waitFor();
    expect(complaints).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'))).toEqual([]);
    await page.close();
  });

  it('says what keeps the server from its work', async () => {
    const { page } = await visit(browser);
    await page.goto(server.url);
    await tile(page, 'Store, templates, AWS')
      .filter({ hasText: /^ready$/ })
      .waitFor();
    const folder = plugin.env['HF_PROVIDER_CONFDIR'] ?? '';
    const name = (await readdir(folder)).find((each) => each.endsWith('prov_templates.json')) ?? '';
    await writeFile(join(folder, name), '{');
    await tile(page, 'Store, templates, AWS').filter({ hasText: 'not ready' }).waitFor();
    await page.getByText('the templates cannot be read').waitFor();
    await plugin.offer(testTemplates(backend.place));
    await page.close();
  });

  it('forbids the browser whatever does not come from this server', async () => {
    const { headers } = await server.get('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(policy.replaceAll(/'self'|'none'|data:/g, '')).not.toMatch(/http|\*/);
  });

  it('cancels a request only once that is confirmed', async () => {
    backend.emulator.configure({ pendingMs: 3_600_000 });
    const id = await plugin.request('od', 2);
    const { page } = await visit(browser);
    await page.goto(`${server.url}/#requests/${id}`);
    const cancel = page.getByRole('button', { name: 'Cancel the request…' });
    await cancel.click();
    await page.getByRole('button', { name: 'Leave it' }).click();
    expect((await server.get(`/requests/${id}`)).body['status']).toBe('running');
    await cancel.click();
    await page.getByLabel('Reason, kept with the request').fill('a mistake');
    await page.getByRole('button', { name: 'Cancel the request', exact: true }).click();
    await page.getByRole('listitem').getByText('cancelled: a mistake').first().waitFor();
    await page.close();
  });

  it('returns the machines that were chosen, and no others', async () => {
    const { machines } = await granted(3);
    const [first, second, third] = machines.map(({ machineId }) => machineId);
    const { page } = await visit(browser);
    await page.goto(`${server.url}/#machines`);
    for (const machineId of [first, second]) await page.getByLabel(`Choose ${machineId}`).check();
    await picture(page, 'machines');
    await page.getByRole('button', { name: 'Return 2…' }).click();
    await page.getByRole('button', { name: 'Terminate' }).click();
    await page.getByLabel(`Choose ${first}`).waitFor({ state: 'detached' });
    await page.getByLabel(`Choose ${second}`).waitFor({ state: 'detached' });
    await page.getByLabel(`Choose ${third}`).waitFor();
    await page.close();
  });

  it('shows only what its filters let through', async () => {
    const { machines } = await granted(2);
    const { page } = await visit(browser);
    await page.goto(`${server.url}/#machines`);
    await page.getByLabel('State').selectOption('stopped');
    await page.getByText('No machine fits.').waitFor();
    await page.getByLabel('State').selectOption('');
    await page.getByLabel('Search').fill(machines[0]?.machineId ?? '');
    await page.keyboard.press('Enter');
    await page.locator('table[aria-rowcount="1"]').waitFor();
    await page.close();
  });

  it('shows the answer to its last question, whatever comes late', async () => {
    const { machines } = await granted(2);
    const { page } = await visit(browser);
    await page.goto(`${server.url}/#machines`);
    await page.getByText(machines[0]?.machineId ?? '').waitFor();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/machines?*status=stopped*', async (route) => {
      await held;
      await route.continue();
    });
    const late = page.waitForResponse('**/machines?*status=stopped*');
    await page.getByLabel('State').selectOption('stopped');
    await page.getByLabel('State').selectOption('');
    await page.getByLabel('Search').fill(machines[0]?.machineId ?? '');
    await page.keyboard.press('Enter');
    await page.locator('table[aria-rowcount="1"]').waitFor();
    release();
    await (await late).finished();
    await page.getByText(machines[0]?.machineId ?? '').waitFor();
    expect(await page.locator('table[aria-rowcount="1"]').count()).toBe(1);
    await page.close();
  });

  it('can be used by the keyboard alone', async () => {
    const { id } = await granted(1);
    const { page } = await visit(browser);
    await page.goto(`${server.url}/#requests`);
    await page.getByRole('link', { name: id.slice(0, 12) }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.close();
  });

  it.each(['overview', 'requests', 'machines', 'events'])('has no barriers, by day and by night: %s', async (view) => {
    const { page } = await visit(browser);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.goto(`${server.url}/#${view}`);
      await page.getByRole('heading', { level: 2 }).first().waitFor();
      expect(await barriers(page)).toEqual([]);
    }
    await page.close();
  });

  it.each(['overview', 'requests', 'machines', 'events'])('fits a phone: %s', async (view) => {
    const { page } = await visit(browser, phone);
    await page.goto(`${server.url}/#${view}`);
    await page.getByRole('heading', { level: 2 }).first().waitFor();
    await picture(page, `phone-${view}`);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(phone.width);
    await page.close();
  });

  it('tells the events that came while its connection was broken', async () => {
    let passing = await startServer(plugin);
    onTestFinished(async () => void (await passing.stop()));
    const { page } = await visit(browser);
    await page.goto(`${passing.url}/#events`);
    await isLive(page);
    const before = await granted(1);
    await page
      .getByRole('link', { name: before.id.slice(0, 12) })
      .first()
      .waitFor();
    await passing.stop();
    await page.getByText('connection lost, trying again').waitFor();
    const meanwhile = await granted(1);
    passing = await startServer(plugin, '--port', new URL(passing.url).port);
    await page
      .getByRole('link', { name: meanwhile.id.slice(0, 12) })
      .first()
      .waitFor();
    await isLive(page);
    expect(await page.getByText('asked for 1 of template all').count()).toBe(2);
    await page.close();
  });

  it('asks for a token where one is needed, and shows a viewer nothing that changes anything', async () => {
    const file = join(plugin.directory, 'tokens.json');
    const tokens = [
      { token: 'only-looks-0123456789', user: 'vera', role: 'viewer' },
      { token: 'operates-0123456789', user: 'otto', role: 'operator' },
    ];
    await writeFile(file, JSON.stringify(tokens), { mode: 0o600 });
    const guarded = await startServer(plugin, '--tokens', file);
    onTestFinished(async () => void (await guarded.stop()));
    await granted(1);
    const { page } = await visit(browser);
    const enter = async (token: string) => {
      await page.getByLabel('Your token').fill(token);
      await page.getByRole('button', { name: 'Show' }).click();
    };
    await page.goto(`${guarded.url}/#machines`);
    await enter('a-guess-0123456789');
    await page.getByRole('alert').waitFor();
    await enter('only-looks-0123456789');
    await page.getByRole('row').nth(2).waitFor();
    expect(await page.getByRole('checkbox').count()).toBe(0);
    await page.getByRole('button', { name: 'vera: leave' }).click();
    await enter('operates-0123456789');
    await page.getByRole('checkbox').first().waitFor();
    await page.close();
  });
});

describe.skipIf(chromiumPath === undefined)('the page of a large grid', () => {
  /** Copies a request with its machines, each with ids of its own, at earlier and earlier times. */
  const fill = async (plugin: Plugin, requests: number): Promise<void> => {
    const id = await plugin.request('all', 2);
    const { machines } = await plugin.settled(id);
    const root = join(plugin.workDir, 'requests');
    const names = await readdir(join(root, id));
    const texts = await Promise.all(names.map((name) => readFile(join(root, id, name), 'utf8')));
    for (let n = 0; n < requests; n++) {
      const copy = `req-${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`;
      const ids = machines.map((_, index) => `i-${(2 * n + index).toString(16).padStart(17, '0')}`);
      const own = (text: string): string =>
        machines
          .reduce((all, { machineId }, index) => all.replaceAll(machineId, ids[index] ?? ''), text)
          .replaceAll(id, copy)
          .replaceAll(/"at":(\d+)/g, (_, at) => `"at":${Number(at) - n * 10_000}`);
      await mkdir(join(root, copy));
      for (const [index, name] of names.entries()) await writeFile(join(root, copy, name), own(texts[index] ?? ''));
    }
  };

  /** Milliseconds from the navigation until the first line of the machines is drawn, the median of three loads. */
  const firstLine = async (page: Page, url: string): Promise<number> => {
    const times: number[] = [];
    for (let n = 0; n < 3; n++) {
      await page.goto('about:blank');
      await page.goto(`${url}/#machines`);
      times.push(
        await page.evaluate(`new Promise((resolve) => {
          const look = () => {
            if (document.querySelector('tbody tr a') === null) requestAnimationFrame(look);
            else requestAnimationFrame(() => resolve(performance.now()));
          };
          look();
        })`),
      );
    }
    return times.sort((a, b) => a - b)[1] ?? 0;
  };

  /** Milliseconds of a frame, the median of 120, while the list is scrolled by so many pixels in each. */
  const frameTime = (page: Page, pixels: number): Promise<number> =>
    page.evaluate(`new Promise((resolve) => {
      const rows = document.querySelector('.rows');
      const times = [];
      let last = performance.now();
      const step = () => {
        const now = performance.now();
        times.push(now - last);
        last = now;
        rows.scrollBy(0, ${pixels});
        if (times.length < 120) requestAnimationFrame(step);
        else resolve(times.sort((a, b) => a - b)[60]);
      };
      requestAnimationFrame(step);
    })`);

  it('draws and asks for only what is in sight of 5,000 requests and 10,000 machines, as soon and as smoothly as of a few', async () => {
    const backend = await emulatorBackend();
    const plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
    const browser = await startBrowser();
    await plugin.settled(await plugin.request('all', 2));
    const small = await startServer(plugin);
    const { page: first } = await visit(browser);
    const soon = await firstLine(first, small.url);
    await first.close();
    await small.stop();
    await fill(plugin, 4999);
    const server = await startServer(plugin);
    const { page, asked } = await visit(browser);
    page.setDefaultTimeout(50_000);
    await page.goto(`${server.url}/#machines`);
    await page.locator('table[aria-rowcount="10002"]').waitFor();
    await page.evaluate('document.querySelector(".rows").scrollTo(0, 1e9)');
    await page.locator('tr[aria-rowindex="10002"] a').waitFor();
    expect(await page.locator('tbody tr').count()).toBeLessThan(100);
    expect(asked.filter((url) => url.includes('/machines?')).length).toBeLessThan(10);
    await page.evaluate('document.querySelector(".rows").scrollTo(0, 0)');
    await page.locator('tr[aria-rowindex="2"] a').waitFor();
    const [still, scrolling] = [await frameTime(page, 0), await frameTime(page, 300)];
    expect(scrolling / still, `${scrolling} ms a frame, ${still} ms where nothing moves`).toBeLessThan(2);
    const later = await firstLine(page, server.url);
    expect(later / soon, `${later} ms until the first line, ${soon} ms of few`).toBeLessThan(5);
    await page.locator('table[aria-rowcount="10002"]').waitFor();
    await page.getByRole('link', { name: 'Requests' }).click();
    await page.locator('table[aria-rowcount="5001"]').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await tile(page, 'Machines running')
      .filter({ hasText: /^10,002$/ })
      .waitFor();
    await picture(page, 'large');
    await browser.close();
    await server.stop();
    await plugin.remove();
    await backend.close();
  }, 240_000);
});
