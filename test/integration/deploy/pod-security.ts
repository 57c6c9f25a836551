import type { Manifest } from '../../../scripts/chart.js';

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
const ALLOWED_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** What in a pod the Pod Security Standard "restricted" does not allow, with "baseline", which it includes. */
export function restrictedViolations(pod: Manifest): string[] {
  const { securityContext: forPod = {}, containers, initContainers = [], volumes = [] } = pod;
  const found: string[] = [];
  const require = (holds: boolean, what: string) => {
    if (!holds) found.push(what);
  };
  for (const name of ['hostNetwork', 'hostPID', 'hostIPC']) require(!pod[name], name);
  require(!forPod.sysctls && !forPod.windowsOptions?.hostProcess, 'sysctls or host processes');
  for (const { name, ...volume } of volumes) {
    require(Object.keys(volume).every((type) => ALLOWED_VOLUMES.includes(type)), `volume ${name}`);
  }
  for (const { name, securityContext: own = {}, ports = [] } of [...containers, ...initContainers]) {
    const context = { ...forPod, ...own };
    const { capabilities = {} } = own;
    require(!own.privileged, `${name}: privileged`);
    require(own.allowPrivilegeEscalation === false, `${name}: allowPrivilegeEscalation`);
    require((capabilities.drop ?? []).includes('ALL'), `${name}: capabilities.drop`);
    const added: string[] = capabilities.add ?? [];
    require(added.every((each) => each === 'NET_BIND_SERVICE'), `${name}: capabilities.add`);
    require(context.runAsNonRoot === true && context.runAsUser !== 0, `${name}: runAsNonRoot`);
    require(['RuntimeDefault', 'Localhost'].includes(
      context.seccompProfile?.type,
    ), `${name}: seccompProfile`);
    require(ports.every((port: Manifest) => !port.hostPort), `${name}: hostPort`);
  }
  return found;
}
