import { readdirSync, readFileSync, statSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { errorMessage, MonitorError } from '../domain/errors.js';

interface TlsOptions {
  readonly uri: string;
  readonly insecureTls: boolean;
  /** A PEM file or a folder of such files, and the setting that names it. */
  readonly authorities?: { readonly setting: string; readonly path: string } | undefined;
  /** A PEM file with a certificate and its key. */
  readonly clientCertPath?: string | undefined;
}

/**
 * The connections to the tracking server. The certificates are read for an `https:` address only.
 * @throws {MonitorError} `tls_file`: a file is missing or holds something else
 */
export function openAgents({ uri, insecureTls, authorities, clientCertPath }: TlsOptions): {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
} {
  const isTls = uri.startsWith('https:');
  const trusted = isTls && !insecureTls && authorities ? readAuthorities(authorities) : undefined;
  const client = isTls && clientCertPath ? readClient(clientCertPath) : undefined;
  return {
    httpAgent: new HttpAgent({ keepAlive: true }),
    httpsAgent: new HttpsAgent({
      keepAlive: true,
      rejectUnauthorized: !insecureTls,
      ...(trusted ? { ca: trusted } : {}),
      ...(client ? { cert: client, key: client } : {}),
    }),
  };
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----';

function readAuthorities({ setting, path }: { setting: string; path: string }): Buffer[] {
  return readPem(setting, path, 'a PEM file with certificates, or a folder with such files', () => {
    const isFolder = statSync(path).isDirectory();
    // A folder has a link for each certificate, named by a hash, besides the files themselves: the same twice is harmless.
    const files = isFolder ? readdirSync(path, { withFileTypes: true }) : [];
    const paths = isFolder
      ? files.filter((file) => !file.isDirectory()).map(({ name }) => join(path, name))
      : [path];
    const found = paths.map((file) => readFileSync(file)).filter((bytes) => bytes.includes(CERTIFICATE));
    if (found.length === 0) throw new RangeError('it holds no certificate');
    createSecureContext({ ca: found });
    return found;
  });
}

function readClient(path: string): Buffer {
  const expected = 'a PEM file with the client certificate and its private key, without a passphrase';
  return readPem('MLFLOW_TRACKING_CLIENT_CERT_PATH', path, expected, () => {
    const client = readFileSync(path);
    createSecureContext({ cert: client, key: client });
    return client;
  });
}

function readPem<T>(setting: string, path: string, expected: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const message = `The certificates of ${path} (${setting}) cannot be used: ${errorMessage(error)}`;
    const advice = `Set ${setting} to ${expected}`;
    throw new MonitorError('tls_file', message, { path }, false, { cause: error, advice });
  }
}
