import { decimal, flag, flagOrPatterns, patterns, settingInfo, text, whole } from './setting.js';

export const scopeSettings = {
  APPLICATION_TAG: text().prefault('application').register(settingInfo, {
    unit: 'name',
    meaning:
      'Tag with the name of the application, on the run or on its experiment. The tag of the run takes precedence. Without the tag, the application is the name of the experiment.',
  }),
  EXPERIMENT_INCLUDE: patterns().prefault('').register(settingInfo, {
    unit: 'patterns',
    meaning:
      'Experiments to monitor: names separated by commas, with `*` and `?` as wildcards. Unset: all experiments.',
  }),
  EXPERIMENT_EXCLUDE: patterns().prefault('').register(settingInfo, {
    unit: 'patterns',
    meaning: 'Experiments to exclude. Takes precedence over `EXPERIMENT_INCLUDE`.',
  }),
  METRIC_INCLUDE: patterns().prefault('').register(settingInfo, {
    unit: 'patterns',
    meaning: 'Metrics to publish. Unset: all metrics.',
  }),
  METRIC_EXCLUDE: patterns().prefault('system/*').register(settingInfo, {
    unit: 'patterns',
    meaning:
      'Metrics to exclude. Takes precedence over `METRIC_INCLUDE`. To exclude none, set a name that no metric has, such as `-`.',
  }),
  COUNT_NESTED_RUNS: flagOrPatterns().prefault('false').register(settingInfo, {
    unit: 'true, false or patterns',
    meaning:
      'Count child runs (those with the tag `mlflow.parentRunId`) like all other runs: all, none, or those whose application or experiment has a name like these patterns. The tag `monitor.nested` (`count` or `ignore`) of the run, else of its experiment, takes precedence.',
  }),
  JUDGE_RUNNING: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning:
      'Count runs that have not ended yet. To count a single one, set its tag `monitor.judge` to `running`.',
  }),
};

const hours = (max: number) => whole(1, max, 'hours');
const percent = () => decimal(0, 100, 'a percentage');

export const lightSettings = {
  CRITICAL_RUNS_PERCENT: percent().prefault('20').register(settingInfo, {
    unit: 'percent',
    meaning: 'The light is critical if more than this share of the evaluated runs is critical.',
  }),
  PASS_RATE_PERCENT: percent().prefault('80').register(settingInfo, {
    unit: 'percent',
    meaning:
      'The light is critical if the pass rate is below this value, and warning if the strict pass rate is below it.',
  }),
  WARNING_RUNS_PERCENT: percent().prefault('5').register(settingInfo, {
    unit: 'percent',
    meaning: 'The light is warning if more than this share of the evaluated runs is critical or invalid.',
  }),
  FAILED_RUNS_PERCENT: percent().prefault('50').register(settingInfo, {
    unit: 'percent',
    meaning: 'The light is warning if more than this share of all runs failed or was killed.',
  }),
  LIGHT_SPAN_HOURS: hours(84).prefault('24').register(settingInfo, {
    unit: 'hours',
    meaning: 'Period that a traffic light covers.',
  }),
  MOVING_AVERAGE_WINDOW_HOURS: hours(168).prefault('24').register(settingInfo, {
    unit: 'hours',
    meaning: 'Window of the moving averages. It ends at each point.',
  }),
  FORECAST_LOOKBACK_DAYS: whole(1, 3650, 'days').prefault('90').register(settingInfo, {
    unit: 'days',
    meaning: 'Forecasts use points of the last so many days, at most the last 200.',
  }),
  REEVALUATE_DAYS: whole(0, 3650, 'days').prefault('7').register(settingInfo, {
    unit: 'days',
    meaning: 'How many days back a changed threshold or rule applies to stored runs.',
  }),
};
