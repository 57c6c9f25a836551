/** Families and samples whose values depend on the process or on its speed. */
const OF_PROCESS = /^mlflow_monitor_(process|nodejs)_/;
const OF_SPEED = /_duration_seconds(_sum|_bucket)$|_idle_seconds$/;

/** Parses the Prometheus text format. */
function familiesOf(text) {
  const families = {};
  const family = (name) => {
    families[name] ??= { type: null, help: null, samples: {} };
    return families[name];
  };
  for (const line of text.split('\n').filter(Boolean)) {
    const [, what, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (what) family(name)[what.toLowerCase()] = rest;
    else {
      const [, sample, labels = '', value] = /^([^\s{]+)(\{.*\})? (\S+)$/.exec(line) ?? [line, line];
      const owner = Object.keys(families).findLast((known) => sample.startsWith(known)) ?? sample;
      family(owner).samples[sample + labels] = value;
    }
  }
  return families;
}

/** The metrics as an object: names, types and help, and the samples that depend neither on the process nor on its speed. */
export function comparableMetrics(text) {
  return Object.fromEntries(
    Object.entries(familiesOf(text)).map(([name, { type, help, samples }]) => {
      if (OF_PROCESS.test(name)) return [name, { type, help }];
      const kept = Object.entries(samples).map(([sample, value]) => [
        sample,
        OF_SPEED.test(sample.replace(/\{.*$/, '')) ? 'any' : value,
      ]);
      return [name, { type, help, samples: Object.fromEntries(kept) }];
    }),
  );
}
