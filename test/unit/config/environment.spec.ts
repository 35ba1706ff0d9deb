import { describe, expect, it } from 'vitest';
import { candidates, type Environment, readEnvironment, tellsPlaces } from '../../../src/config/environment.ts';

const places = { HF_PROVIDER_CONFDIR: '/hf/c', HF_PROVIDER_WORKDIR: '/hf/w' };

const foldersOf = (env: Environment) => {
  const { confDir, workDir, logDir } = readEnvironment(env);
  return [confDir, workDir, logDir];
};

describe('the folders', () => {
  it.each<[string, Environment, [conf: string, work: string, log: string]]>([
    [
      'are Host Factory’s for this provider',
      {
        HF_PROVIDER_NAME: 'awsinst',
        HF_PROVIDER_CONFDIR: '/hf/c',
        HF_PROVIDER_WORKDIR: '/hf/w',
        HF_PROVIDER_LOGDIR: '/hf/l',
        HF_CONFDIR: '/wide/conf',
        HF_WORKDIR: '/wide/work',
        HF_LOGDIR: '/wide/log',
      },
      ['/hf/c', '/hf/w', '/hf/l'],
    ],
    [
      'are the provider’s under Host Factory’s own, the log shared',
      { HF_PROVIDER_NAME: 'east', HF_CONFDIR: '/wide/conf', HF_WORKDIR: '/wide/work/', HF_LOGDIR: '/wide/log/' },
      ['/wide/conf/providers/east', '/wide/work/providers/east', '/wide/log'],
    ],
    [
      'go before LSF’s',
      {
        HF_CONFDIR: '/wide/conf',
        HF_WORKDIR: '/wide/work',
        HF_LOGDIR: '/wide/log',
        PRO_CONF_DIR: '/lsf/c',
        PRO_DATA_DIR: '/lsf/w',
        PRO_LSF_LOGDIR: '/lsf/l',
      },
      ['/wide/conf/providers/awsinst', '/wide/work/providers/awsinst', '/wide/log'],
    ],
    [
      'are LSF’s',
      { PRO_CONF_DIR: '/lsf/c', PRO_DATA_DIR: '/lsf/w/', PRO_LSF_LOGDIR: '/lsf/l' },
      ['/lsf/c', '/lsf/w', '/lsf/l'],
    ],
    [
      'are chosen one by one',
      { HF_PROVIDER_NAME: 'east', HF_PROVIDER_CONFDIR: '/hf/c//', HF_WORKDIR: '/wide/work' },
      ['/hf/c', '/wide/work/providers/east', '/wide/work/providers/east/log'],
    ],
    [
      'are not what is set and empty',
      { HF_PROVIDER_CONFDIR: '', PRO_CONF_DIR: '/lsf/c', HF_PROVIDER_WORKDIR: '  ', PRO_DATA_DIR: '/lsf/w' },
      ['/lsf/c', '/lsf/w', '/lsf/w/log'],
    ],
    [
      'do not mind blanks around a path',
      { HF_PROVIDER_CONFDIR: ' /hf/c ', HF_WORKDIR: ' /wide/work ', HF_LOGDIR: ' /wide/log ' },
      ['/hf/c', '/wide/work/providers/awsinst', '/wide/log'],
    ],
  ])('%s', (_, env, folders) => expect(foldersOf(env)).toEqual(folders));
});

it.each<[string, Environment]>([
  ['HF_PROVIDER_CONFDIR', {}],
  ['HF_PROVIDER_CONFDIR', { HF_CONFDIR: ' ', HF_PROVIDER_WORKDIR: '/hf/w' }],
  ['HF_PROVIDER_WORKDIR', { HF_PROVIDER_CONFDIR: '/hf/c', HF_PROVIDER_LOGDIR: '/hf/l' }],
])('no folder is guessed: without %s that is said', (variable, env) =>
  expect(() => readEnvironment(env)).toThrow(
    expect.objectContaining({ code: 'configuration.missing', message: expect.stringContaining(`set ${variable}`) }),
  ),
);

it.each<[string, boolean, Environment]>([
  ['decides', true, { HF_PROVIDER_CONFDIR: '/hf/c', HF_TOP: '/hf' }],
  ['decides', true, { HF_WORKDIR: '/hf/work', HF_TOP: '/hf' }],
  ['decides', true, { HF_LOGDIR: '/hf/log', HF_TOP: '/hf', HF_PROVIDER_NAME: 'east' }],
  ['decides', true, { PRO_DATA_DIR: '/lsf/w' }],
  ['leaves it to the registration', false, { HF_TOP: '/hf', HF_PROVIDER_NAME: 'east', HF_CONFDIR: ' ' }],
])('the environment %s where it tells a place: %s for %o', (_, decides, env) => expect(tellsPlaces(env)).toBe(decides));

describe('the name of the provider instance', () => {
  it.each<[Environment, string]>([
    [{ HF_PROVIDER_NAME: 'east', PROVIDER_NAME: 'lsf' }, 'east'],
    [{ PROVIDER_NAME: 'lsf' }, 'lsf'],
    [{ HF_PROVIDER_NAME: ' ' }, 'awsinst'],
    [{}, 'awsinst'],
  ])('from %o is %s', (env, name) => expect(readEnvironment({ ...places, ...env }).providerName).toBe(name));

  it.each(['../etc', 'a/b', 'a b', '.hidden', '-x', 'a'.repeat(65), 'ä'])('%j is refused: it is no file name', (name) =>
    expect(() => readEnvironment({ HF_PROVIDER_NAME: name })).toThrow(
      expect.objectContaining({ code: 'configuration.invalid' }),
    ),
  );
});

it('Host Factory’s log settings are passed on where they are set', () => {
  const env = { ...places, HF_LOGLEVEL: 'LOG_DEBUG', HF_LOG_MAX_FILE_SIZE: '7', HF_LOG_MAX_ROTATE: '' };
  const environment = readEnvironment(env);
  expect(environment).toMatchObject({ hfLogLevel: 'LOG_DEBUG', hfLogMaxFileSize: '7' });
  expect(environment).not.toHaveProperty('hfLogMaxRotate');
});

it('a file is looked for under the instance’s name, then IBM’s, then in conf/', () => {
  const environment = readEnvironment({ ...places, HF_PROVIDER_NAME: 'east', HF_PROVIDER_CONFDIR: '/c' });
  expect(candidates(environment, 'prov_config.json')).toEqual([
    '/c/eastprov_config.json',
    '/c/awsprov_config.json',
    '/c/conf/eastprov_config.json',
    '/c/conf/awsprov_config.json',
  ]);
});
