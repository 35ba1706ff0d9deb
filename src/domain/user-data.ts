/** EC2: bytes of user data before base64. */
const mostUserData = 16_384;

/** IBM's plug-ins put exports in its place. In a comment it does no harm. */
const placeholder = /^(?!\s*(?:#|::|rem\b)).*%EXPORT_USER_DATA%/im;

/** Why a script cannot be user data, to be said after its name. */
export const userDataFault = (bytes: number, text: string): string | undefined => {
  if (bytes > mostUserData) return `has ${bytes} bytes, EC2 takes at most ${mostUserData}`;
  if (placeholder.test(text))
    return "has IBM's placeholder %EXPORT_USER_DATA%, which is not replaced here: write the exports into the script";
  return undefined;
};

/** Why a script cannot be read; Windows' paths are told from others, since elsewhere they only are not there. */
export const unreadableScript = (path: string, platform: string): string =>
  platform !== 'win32' && /^[A-Za-z]:[\\/]/.test(path)
    ? 'is a Windows path, and this host does not run Windows'
    : 'cannot be read';
