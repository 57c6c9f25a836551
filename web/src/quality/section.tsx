import type { Quality } from '../../../src/quality/contract.js';
import { Panel } from '../frame/panel.jsx';
import { applicationPath } from '../frame/routes.js';
import { Age, Status } from '../marks/status.jsx';
import { type Use, useResource } from '../service/resource.js';
import { plural } from '../words/words.js';
import {
  amountText,
  applicationFindings,
  codeParts,
  type Finding,
  limitText,
  platformFindings,
} from './findings.js';

const ADDRESS = 'api/v1/quality';
const MAX_NAMES = 3;

export const useQuality = (): Use<Quality> => useResource<Quality>(ADDRESS);

/**
 * The checks of data quality that fail; nothing if none does.
 * @param application only its own; undefined: of the platform
 */
export function DataQuality({ of, application }: { of: Use<Quality>; application?: string }) {
  return (
    <Panel of={of} name="The data quality" height={120}>
      {(quality) => (
        <Findings
          findings={
            application === undefined ? platformFindings(quality) : applicationFindings(quality, application)
          }
          named={application === undefined}
        />
      )}
    </Panel>
  );
}

function Findings({ findings, named }: { findings: readonly Finding[]; named: boolean }) {
  if (findings.length === 0) return null;
  const inQuarantine = findings.some(({ check }) => check.check_name === 'schema_compliance');
  return (
    <section aria-labelledby="data-quality">
      <h2 id="data-quality">Data quality</h2>
      <ul class="findings">
        {findings.map((finding) => (
          <Row key={finding.check.check_name} finding={finding} named={named} />
        ))}
      </ul>
      <p class="samples">
        <a href={ADDRESS}>Samples as JSON</a>
        {inQuarantine && <a href="api/v1/quarantine">Quarantine as JSON</a>}
      </p>
    </section>
  );
}

function Row({ finding, named }: { finding: Finding; named: boolean }) {
  const { check, title, measured, measuredIn, since, error, applications } = finding;
  return (
    <li>
      <div class="when">
        {check.severity === 'error' ? <Status of="critical">Error</Status> : <Status of="warning" />}
        <Age at={since} before="for " />
      </div>
      <div class="what">
        <h3>{title}</h3>
        {error !== null && <p>It could not be measured: {error}</p>}
        <p class="cause">
          Expected: <Text of={check.meaning} />
        </p>
        <p>
          <b>Next step:</b> <Text of={check.next_step} />
        </p>
        {named && applications.length > 0 && <Names of={applications} />}
      </div>
      <div class="value">
        <b>{amountText(measured, check.unit)}</b>
        <span>{limitText(check)}</span>
        {measuredIn !== null && applications.length > 1 && <span>worst: {measuredIn}</span>}
      </div>
    </li>
  );
}

const Text = ({ of }: { of: string }) => (
  <>{codeParts(of).map((part, i) => (i % 2 === 1 ? <code key={`${i} ${part}`}>{part}</code> : part))}</>
);

function Names({ of }: { of: readonly string[] }) {
  const more = of.length - MAX_NAMES;
  return (
    <p class="evidence">
      <span>{plural(of.length, 'application')}:</span>
      {of.slice(0, MAX_NAMES).map((name) => (
        <a key={name} href={applicationPath(name)}>
          {name}
        </a>
      ))}
      {more > 0 && <span>and {more} more</span>}
    </p>
  );
}
