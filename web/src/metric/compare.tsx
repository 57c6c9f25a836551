import type { ModelVersions } from '../../../src/dashboard/contract/model-versions.js';
import { changeQuery, queryOf } from '../frame/router.js';
import { platformCurrent } from '../service/events.js';
import { differenceText, valueText } from '../words/quantity.js';
import { keepUnits, runsText } from '../words/words.js';
import type { Level } from './model.js';

type Version = ModelVersions['versions'][number];

/** A version with fewer values has no level yet, and is only compared if the address asks for it. */
const MIN_VALUES = 5;

/** Chooses what the runs of the chart are compared with: another application or a model version. */
export function Compare({ application, versions }: { application: string; versions: readonly Version[] }) {
  const [other, version] = [queryOf('with'), queryOf('version')];
  const names = platformCurrent.value?.applications.map((each) => each.application) ?? [];
  const applications = new Set([...names, ...(other ? [other] : [])]);
  applications.delete(application);
  const offered = new Set([
    ...versions.filter(({ values }) => values >= MIN_VALUES).map((each) => each.model_version),
    ...(version ? [version] : []),
  ]);
  const choose = (value: string) => {
    const [kind, name = ''] = split(value);
    changeQuery({ with: kind === 'with' ? name : null, version: kind === 'version' ? name : null });
  };
  return (
    <label class="compare">
      Compare with{' '}
      <select
        value={other ? `with ${other}` : version ? `version ${version}` : ''}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      >
        <option value="">nothing</option>
        <Options label="Model versions of the last 30 days" kind="version" names={offered} />
        <Options label="Applications" kind="with" names={applications} />
      </select>
    </label>
  );
}

/** `with fraud eu` → `with` and `fraud eu`: names may have spaces. */
function split(value: string): [kind: string, name: string] {
  const space = value.indexOf(' ');
  return [value.slice(0, space), value.slice(space + 1)];
}

function Options({ label, kind, names }: { label: string; kind: string; names: ReadonlySet<string> }) {
  if (names.size === 0) return null;
  return (
    <optgroup label={label}>
      {[...names].map((name) => (
        <option key={name} value={`${kind} ${name}`}>
          {name}
        </option>
      ))}
    </optgroup>
  );
}

/** What the chart draws of the version that the address names; null: it names none, or one without valid values. */
export function chosenLevel(versions: readonly Version[]): Level | null {
  const found = versions.find(({ model_version }) => model_version === queryOf('version'));
  if (found?.median == null || found.lower === null || found.upper === null) return null;
  return { name: found.model_version, lower: found.lower, median: found.median, upper: found.upper };
}

/** The chosen version and the newest one in numbers. */
export function VersionNote({ versions, unit }: { versions: readonly Version[]; unit: string | null }) {
  const name = queryOf('version');
  if (name === null) return null;
  return <p class="chart-notes">{keepUnits(versionText(versions, name, unit))}</p>;
}

/** `v24: median 3.04 % in 572 runs of the last 30 days, 80 % of them between 2.8 % and 3.3 %. v25, the newest: …` */
export function versionText(versions: readonly Version[], name: string, unit: string | null): string {
  const found = versions.find(({ model_version }) => model_version === name);
  if (!found) return `No run of the last 30 days with this metric is of the model version ${name}.`;
  const text = (value: number) => valueText({ value, invalid_kind: null, unit });
  const { median, lower, upper } = found;
  if (median === null || lower === null || upper === null)
    return `${name}: no valid value in ${runsText(found.runs)} of the last 30 days.`;
  const own = `${name}: median ${text(median)} in ${runsText(found.runs)} of the last 30 days, 80 % of them from ${text(lower)} to ${text(upper)}.`;
  const newest = versions[0];
  if (!newest || newest === found || newest.median === null) return own;
  return `${own} ${newest.model_version}, the newest version: median ${text(newest.median)} in ${runsText(newest.runs)}, ${differenceText(newest.median - median, unit)}.`;
}
