import manifest from '../../package.json' with { type: 'json' };

/** The version of the package, also a tag on everything it launches. */
export const { version } = manifest;
