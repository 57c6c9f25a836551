/** What OpenSSL says besides its reason: thread, library, function, file and line. */
const OPENSSL = /^.*:SSL routines:[^:]*:([^:]+):.*$/s;

/** `wrong version number` in place of a line of OpenSSL with addresses and source files; any other message as it is. */
export const shortTlsMessage = (message: string): string => message.replace(OPENSSL, '$1');
