const esc = '\u001b';

const written = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text of others for one line of a terminal, which would obey control characters in it: these are written out, as `\u001b`. */
export const visible = (text: string): string => text.replaceAll(/\p{Cc}/gu, written);

/** The same for whole output, which may have lines, tabs and our own colours; whoever prints it ends the last line. */
export const visibleLines = (text: string): string => {
  const end = text.endsWith('\r') ? '\r' : '';
  const shown = text.slice(0, text.length - end.length).replaceAll(/\p{Cc}\[\d{1,2}m|\r\n|\p{Cc}/gu, (found) => {
    if (found === '\r\n' || found === '\n' || found === '\t') return found;
    return found.length > 1 && found.startsWith(esc) ? found : visible(found);
  });
  return `${shown}${end}`;
};
