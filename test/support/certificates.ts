import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CertificateFiles {
  readonly key: string;
  readonly certificate: string;
}

/**
 * Creates a key and a certificate, in `<name>.key` and `<name>.crt` of the folder.
 * @param subject such as `DNS:localhost` or `IP:127.0.0.1`
 * @param authority signs it; without one it is self-signed
 */
export async function createCertificate(
  openssl: string,
  folder: string,
  name: string,
  subject: string,
  authority?: CertificateFiles,
): Promise<CertificateFiles> {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const files = ['-nodes', '-keyout', key, '-out', certificate, '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${subject}`];
  const signed = authority ? ['-CA', authority.certificate, '-CAkey', authority.key] : [];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  await promisify(execFile)(openssl, ['req', '-x509', ...algorithm, ...files, ...names, ...signed]);
  return { key, certificate };
}
