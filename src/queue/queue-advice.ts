/**
 * What to change if the queue cannot be opened. The texts were seen on Redis 7.0 and ioredis 6.
 * @param reason the message of the error
 * @param address the URL of Redis without user and password
 */
export function adviseQueue(reason: string, address: string): string {
  const { protocol, host } = new URL(address);
  const isTls = protocol === 'rediss:';
  if (/NOAUTH/.test(reason)) return `Put the password into REDIS_URL, as in ${protocol}//:password@${host}`;
  if (/WRONGPASS|invalid password/i.test(reason)) {
    return 'Correct the user name and password in REDIS_URL. Percent-encode their special characters, such as %2F for /';
  }
  if (/self.signed|unable to (verify|get)/i.test(reason)) {
    return 'Set NODE_EXTRA_CA_CERTS to a PEM file with the certificate of the authority that signed the one of Redis';
  }
  if (/altnames/i.test(reason))
    return 'Set the host in REDIS_URL to a name that the certificate of Redis contains';
  if (isTls && /before secure TLS|wrong version number|packet length|EPROTO/i.test(reason)) {
    return `Set REDIS_URL to redis://${host}: Redis does not speak TLS on this port`;
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return 'Correct the host name in REDIS_URL';
  if (/ECONNREFUSED/.test(reason)) return 'Start Redis or Valkey, or correct REDIS_URL';
  if (/LOADING/.test(reason)) return 'Wait until Redis has loaded its data, then start again';
  if (/READONLY/.test(reason)) return 'Set REDIS_URL to the master: this is a replica';
  const tls = isTls ? '' : '; if Redis speaks TLS on this port, begin REDIS_URL with rediss:';
  return `Correct the host and port in REDIS_URL, or open the firewall to ${host}${tls}`;
}

/**
 * @param user the user of `REDIS_URL`
 * @param command the command that is denied; `undefined`: the keys are
 */
export const advisePermissions = (user: string | undefined, command: string | undefined): string =>
  `Allow the user of REDIS_URL what the queues need: redis-cli ACL SETUSER ${user || 'default'} ${command ? '+@all -@dangerous +info' : "'~{mlflow-monitor*'"}`;
