/** The relevant parts of an error of a bucket. */
export interface S3Problem {
  readonly code: string;
  /** The name of the error, or the code of the system's error. */
  readonly name: string;
  readonly message: string;
  /** `get`, `stat`, `list`, `put` or `delete`. */
  readonly action: string;
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
export function adviseS3({ code, name, message, action }: S3Problem): string | undefined {
  switch (name) {
    case 'InvalidAccessKeyId':
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
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) {
    return 'Correct S3_ENDPOINT, or set S3_FORCE_PATH_STYLE=true if there is no host name for each bucket';
  }
  if (code === 'store_unreachable') return 'Start the store, or correct S3_ENDPOINT';
  return undefined;
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
