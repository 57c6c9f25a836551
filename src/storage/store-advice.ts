/** The relevant parts of an error of a bucket. */
export interface S3Problem {
  readonly code: string;
  /** The name of the error, or the code of the system's error. */
  readonly name: string;
  readonly message: string;
  /** `get`, `stat`, `list`, `put` or `delete`. */
  readonly action: string;
  /** `S3_ENDPOINT`; `undefined` for that of Amazon. */
  readonly endpoint?: string | undefined;
}

/** The permission of each action, as AWS names it. `stat` needs that of `get`. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  get: 's3:GetObject',
  stat: 's3:GetObject',
  put: 's3:PutObject',
  delete: 's3:DeleteObject',
  list: 's3:ListBucket',
};

/** The names of S3's errors are those of docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. */
export function adviseS3(problem: S3Problem): string | undefined {
  const { code, name, message, action, endpoint } = problem;
  switch (name) {
    case 'InvalidAccessKeyId':
    // That of versitygw.
    case 'XAdminUserNotFound':
      return 'Correct AWS_ACCESS_KEY_ID';
    case 'SignatureDoesNotMatch':
      return 'Correct AWS_SECRET_ACCESS_KEY';
    case 'ExpiredToken':
    case 'InvalidToken':
      return 'Renew AWS_SESSION_TOKEN and the keys that belong to it';
    case 'RequestTimeTooSkewed':
      return 'Correct the clock of this machine';
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return 'Set AWS_REGION to the region of the bucket';
    case 'MovedPermanently':
      return 'Correct S3_ENDPOINT or AWS_REGION';
  }
  if (code === 'store_credentials') {
    return 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role';
  }
  if (code === 'store_no_bucket') return 'Create the bucket, or correct S3_BUCKET';
  if (code === 'store_denied') {
    return `Allow ${PERMISSIONS[action] ?? 'access'} on the bucket to the user of the AWS_… settings: docs/storage.md has the whole policy`;
  }
  if (/region is missing/i.test(message)) return 'Set AWS_REGION';
  if (/self.signed|unable to (verify|get)/i.test(message)) {
    return 'Set NODE_EXTRA_CA_CERTS to a PEM file with the certificate of the authority that signed the one of the store';
  }
  return endpoint ? adviseEndpoint(endpoint, problem) : adviseAmazon(problem);
}

/** What the address of a store has to do with an error. */
function adviseEndpoint(endpoint: string, { code, message, name }: S3Problem): string | undefined {
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) {
    return 'Correct S3_ENDPOINT, or set S3_FORCE_PATH_STYLE=true if there is no host name for each bucket';
  }
  if (/EPROTO|wrong version number|packet length too long/i.test(message)) {
    return `Set S3_ENDPOINT to ${endpoint.replace(/^https/, 'http')}: the store does not speak TLS on this port`;
  }
  if (/HTTP request to an HTTPS server|sent to HTTPS port/i.test(message)) {
    return `Set S3_ENDPOINT to ${endpoint.replace(/^http/, 'https')}: the store speaks TLS only`;
  }
  if (/timed out|TimeoutError|ETIMEDOUT/i.test(`${name} ${message}`)) {
    return `Find out why the store does not answer, open the firewall to ${new URL(endpoint).host}, or correct S3_ENDPOINT`;
  }
  if (code === 'store_unreachable') return 'Start the store, or correct S3_ENDPOINT';
  return undefined;
}

/** Without `S3_ENDPOINT`. */
function adviseAmazon({ code, message }: S3Problem): string | undefined {
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) {
    return 'Correct AWS_REGION, or set S3_ENDPOINT if the bucket is not one of Amazon';
  }
  if (code !== 'store_unreachable') return undefined;
  return 'Open the firewall to Amazon S3, or set S3_ENDPOINT if the bucket is not one of Amazon';
}

/** By the code of the system's error, for what is below `STORAGE_DIR`. */
export function adviseFolder(code: string): string | undefined {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ENOENT':
      return 'Set STORAGE_DIR to a folder that this user can write to';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Free disk space, or set STORAGE_DIR to a folder on a larger disk';
    default:
      return undefined;
  }
}
