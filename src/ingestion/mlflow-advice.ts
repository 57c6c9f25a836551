import { errno } from '../domain/errors.js';
import { shortTlsMessage } from '../upstream/tls-message.js';

/** How the tracking server is requested: what an advice depends on. */
export interface MlflowAccess {
  /** Without credentials. */
  readonly uri: string;
  readonly credentials: 'password' | 'token' | 'none';
  readonly username?: string | undefined;
  readonly workspace?: string | undefined;
  /** The address of the proxy, if one is used. */
  readonly proxy?: string | undefined;
  /** The setting that names the certificate authorities. */
  readonly authorities?: string | undefined;
  readonly clientCert: boolean;
}

/** A response without success. Its texts hold no secrets. */
export interface ErrorAnswer {
  readonly path: string;
  readonly status: number;
  /** The beginning of the body. */
  readonly text: string;
  readonly location?: string | undefined;
  /** The header `WWW-Authenticate`. */
  readonly authenticate?: string | undefined;
}

const ADDRESS = 'MLFLOW_TRACKING_URI';
const PASSWORD = 'MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD';
const TOKEN = 'MLFLOW_TRACKING_TOKEN';
const HEADERS = 'MLFLOW_TRACKING_HEADERS';
const API = '/api/2.0/mlflow/';

export const NOT_MLFLOW = `Correct ${ADDRESS}: at this address something else answers, such as a login page or another server`;

const proxySetting = ({ uri }: MlflowAccess): string =>
  uri.startsWith('https:') ? 'HTTPS_PROXY' : 'HTTP_PROXY';
const hostOf = ({ uri }: MlflowAccess): string => new URL(uri).host;
export const withoutQuery = (location: string): string => location.replace(/[?#].*$/s, '');

/**
 * What to change after a response of MLflow or of what stands in front of it. The texts of MLflow were seen on 1.30, 2.22 and
 * 3.17, those of a missing client certificate and of a wrong scheme on nginx 1.22.
 * @returns `undefined` if the settings cannot help
 */
export function adviseResponse(answer: ErrorAnswer, access: MlflowAccess): string | undefined {
  const { status, text } = answer;
  if (status < 400) return adviseRedirect(answer, access);
  if (/HTTP request was sent to HTTPS port/i.test(text)) return useScheme('https', access);
  if (/No required SSL certificate was sent/i.test(text)) {
    return 'Set MLFLOW_TRACKING_CLIENT_CERT_PATH to a PEM file with a client certificate and its key';
  }
  if (/The SSL certificate error/i.test(text)) {
    return 'Set MLFLOW_TRACKING_CLIENT_CERT_PATH to a certificate that the server trusts';
  }
  if (/workspaces are not enabled/i.test(text))
    return 'Unset MLFLOW_WORKSPACE: this server has no workspaces';
  if (/Workspace '.*' not found/i.test(text)) {
    return `Correct MLFLOW_WORKSPACE: the server has no workspace ${access.workspace ?? 'of this name'}`;
  }
  switch (status) {
    case 401:
      return adviseCredentials(answer, access);
    case 403:
      return adviseForbidden(answer, access);
    case 404:
    case 405:
      return `Correct the path of ${ADDRESS}: no tracking server has its API below ${access.uri}`;
    case 407:
      return `Put the user name and password of the proxy ${access.proxy ?? ''} into ${proxySetting(access)}, as in http://user:password@proxy.example.com:3128`;
    case 413:
      return `Let what answers at ${hostOf(access)} accept larger requests (nginx: client_max_body_size)`;
    case 429:
      return 'Lower MLFLOW_MAX_RPS or MLFLOW_CONCURRENCY';
    case 502:
    case 503:
    case 504:
      if (status === 503 && !access.proxy) {
        return `Start the tracking server; if what stands in front of it at ${hostOf(access)} limits requests, lower MLFLOW_MAX_RPS or MLFLOW_CONCURRENCY`;
      }
      return access.proxy
        ? `Start the tracking server, or let the proxy ${access.proxy} reach it; if no proxy is needed, add ${new URL(access.uri).hostname} to NO_PROXY`
        : `Start the tracking server: what stands in front of it at ${hostOf(access)} cannot reach it`;
    default:
      return status >= 500 ? 'Look into the log of the tracking server' : undefined;
  }
}

/** A redirect is not followed: it would send the credentials to another address. */
function adviseRedirect({ location, path }: ErrorAnswer, access: MlflowAccess): string {
  const own = new URL(access.uri);
  const target = location && URL.canParse(location, access.uri) ? new URL(location, access.uri) : undefined;
  const end = `${API}${path}`;
  // The same request elsewhere: another scheme, name or path of the same server.
  if (target?.pathname.endsWith(end)) {
    return `Set ${ADDRESS} to ${target.origin}${target.pathname.slice(0, -end.length)}`;
  }
  const where = target ? withoutQuery(target.href) : 'another address';
  return `A login stands in front of the tracking server and leads to ${where}. Set ${TOKEN} or ${HEADERS} to what it accepts from programs, or ${ADDRESS} to the address behind it (now ${own.host})`;
}

function adviseCredentials({ authenticate = '' }: ErrorAnswer, { credentials }: MlflowAccess): string {
  const isBasic = /\bbasic\b/i.test(authenticate);
  const isBearer = /\bbearer\b/i.test(authenticate);
  if (credentials === 'password' && !(isBearer && !isBasic)) return `Correct ${PASSWORD}`;
  if (credentials === 'token' && !(isBasic && !isBearer)) return `Correct ${TOKEN}`;
  if (credentials === 'token') return `Unset ${TOKEN} and set ${PASSWORD}: the server asks for these`;
  if (credentials === 'password') return `Unset ${PASSWORD} and set ${TOKEN}: the server asks for it`;
  if (isBasic !== isBearer) return `Set ${isBasic ? PASSWORD : TOKEN}`;
  return `Set ${PASSWORD}, or ${TOKEN}`;
}

function adviseForbidden({ text, path }: ErrorAnswer, access: MlflowAccess): string {
  const host = hostOf(access);
  if (/Invalid Host header/i.test(text)) {
    return `Start the tracking server with --allowed-hosts '${host}' (or MLFLOW_SERVER_ALLOWED_HOSTS); if a reverse proxy stands in front of it, let it send this name, or allow the name that it sends`;
  }
  if (/Missing Authentication Token|IncompleteSignature|AWS4|execute-api/i.test(text)) {
    return `Set ${ADDRESS} to a proxy that signs requests for AWS, such as aws-sigv4-proxy: this service does not sign them`;
  }
  // The experiments could be listed, so that the credentials are accepted.
  if (path.startsWith('runs/') || /PERMISSION_DENIED|Permission denied/i.test(text)) {
    const who = access.username
      ? `the user ${access.username}`
      : 'the user of the MLFLOW_TRACKING_… settings';
    const workspace = access.workspace ? ` of the workspace ${access.workspace}` : '';
    const what = path.startsWith('runs/') ? 'experiments and their runs' : 'experiments';
    return `Give ${who} the permission READ on all ${what}${workspace}`;
  }
  if (access.proxy) {
    return `Let the proxy ${access.proxy} (${proxySetting(access)}) pass requests to ${host}, or add ${new URL(access.uri).hostname} to NO_PROXY`;
  }
  const use = access.credentials === 'none' ? 'Set' : 'Correct';
  return `${use} ${PASSWORD}, ${TOKEN} or ${HEADERS}: what answers at ${host} denies access`;
}

/** Why a server that does not speak TLS, or speaks nothing else, cannot be understood. */
const NO_TLS =
  /wrong version number|packet length too long|EPROTO|ERR_SSL_WRONG_VERSION|invalid HTTP|http request/i;
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const useScheme = (scheme: 'http' | 'https', { uri }: MlflowAccess): string =>
  `Set ${ADDRESS} to ${uri.replace(/^https?/, scheme)}: ${scheme === 'https' ? 'the server speaks TLS only' : 'the server does not speak TLS on this port'}`;

/**
 * @param cause the error of the request, or the seconds after which it timed out
 * @returns also why the server is unreachable
 */
export function adviseUnreachable(
  cause: unknown,
  access: MlflowAccess,
): { readonly reason: string; readonly advice: string } {
  const through = access.proxy ? ` through the proxy ${access.proxy} (${proxySetting(access)})` : '';
  if (typeof cause === 'number') {
    return {
      reason: `no data for ${cause} s${through}`,
      advice: access.proxy
        ? `Check the proxy ${access.proxy} in ${proxySetting(access)} and the tracking server behind it`
        : `Find out why the tracking server does not answer, open the firewall to ${hostOf(access)}, or correct ${ADDRESS}; if only a proxy reaches it, set ${proxySetting(access)}`,
    };
  }
  const { code, message } = failureOf(cause);
  return { reason: `${shortTlsMessage(message)}${through}`, advice: adviseFailure(code, message, access) };
}

function adviseFailure(code: string, message: string, access: MlflowAccess): string {
  const host = hostOf(access);
  if (UNTRUSTED.has(code)) {
    const certificate = code === 'DEPTH_ZERO_SELF_SIGNED_CERT' ? 'it' : 'the certificate of its authority';
    return access.authorities
      ? `Add ${certificate} to what ${access.authorities} names: the certificate of ${host} is signed by another authority`
      : `Set MLFLOW_TRACKING_SERVER_CERT_PATH to a PEM file with ${certificate === 'it' ? `the certificate of ${host}` : certificate}`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `Set ${ADDRESS} to a name that the certificate of the server contains`;
  }
  if (code === 'CERT_HAS_EXPIRED') return `Renew the certificate of ${host}`;
  if (code === 'CERT_NOT_YET_VALID')
    return `Correct the clock of this machine, or the certificate of ${host}`;
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA/i.test(code)) {
    const use = access.clientCert
      ? 'a certificate that the server trusts'
      : 'a PEM file with a client certificate and its key';
    return `Set MLFLOW_TRACKING_CLIENT_CERT_PATH to ${use}`;
  }
  if (NO_TLS.test(code) || NO_TLS.test(message)) return useScheme('http', access);
  if (/^HPE_/.test(code)) return useScheme('https', access);
  const { proxy } = access;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return proxy
      ? `Correct the host name in ${proxySetting(access)}`
      : `Correct the host name in ${ADDRESS}; if only a proxy knows it, set ${proxySetting(access)}`;
  }
  if (proxy)
    return `Start the proxy ${proxy}, correct ${proxySetting(access)}, or add ${new URL(access.uri).hostname} to NO_PROXY`;
  if (code === 'ECONNREFUSED') return `Start the tracking server, or correct ${ADDRESS}`;
  if (message === 'aborted')
    return 'Look into the logs of the tracking server and of what stands in front of it: a response ended early';
  if (code === 'ECONNRESET') {
    const other = access.uri.startsWith('https:') ? 'http' : 'https';
    return `Look into the log of the tracking server; if it speaks ${other} on this port, correct the beginning of ${ADDRESS}`;
  }
  return `Check the network to ${host}, or correct ${ADDRESS}; if only a proxy reaches it, set ${proxySetting(access)}`;
}

/** The innermost cause has the code; some of Node's errors have an empty message of their own. */
function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  let [code, message] = ['', ''];
  for (
    let each = error;
    typeof each === 'object' && each !== null;
    each = 'cause' in each ? each.cause : undefined
  ) {
    if ('code' in each && typeof each.code === 'string' && !each.code.startsWith('ERR_BAD'))
      code ||= each.code;
    if ('message' in each && typeof each.message === 'string') message ||= each.message;
    code ||= errno(each) ?? '';
    if ('errors' in each && Array.isArray(each.errors) && each.errors[0] && !('cause' in each)) {
      const first = failureOf(each.errors[0]);
      code ||= first.code;
      message ||= first.message;
    }
  }
  return { code, message: (message.split('\n')[0] ?? '').slice(0, 300) || code || String(error) };
}
