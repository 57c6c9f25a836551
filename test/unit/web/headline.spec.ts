import type { Light } from '../../../src/domain/model.js';
import { headline, unjudgedText } from '../../../web/src/platform/headline.js';

const state = (lights: Light[], platform: Light, all_unmonitored = false) => ({
  applications: lights.map((light) => ({ light })),
  needs_attention: lights
    .filter((light) => light === 'critical' || light === 'warning')
    .map((light) => ({ light })),
  platform: { light: platform },
  all_unmonitored,
});

describe('the headline', () => {
  it.each<[Light[], Light, Light, string]>([
    [
      ['critical', 'critical', 'warning', 'healthy'],
      'healthy',
      'critical',
      '2 of 4 applications are critical, 1 more needs a look',
    ],
    [['critical', 'healthy'], 'warning', 'critical', '1 of 2 applications is critical'],
    [['warning', 'healthy', 'healthy'], 'healthy', 'warning', '1 of 3 applications has a warning'],
    [['critical'], 'critical', 'critical', '1 of 1 application is critical'],
    [['healthy', 'no_data'], 'healthy', 'healthy', 'No application needs attention'],
    [['no_data', 'no_data'], 'no_data', 'no_data', 'No application has run recently'],
  ])('of %j with the platform %s is beside the light %s', (lights, platform, light, text) => {
    expect(headline(state(lights, platform))).toEqual({ light, text });
  });

  it('never says healthy beside applications that need attention', () => {
    const listed = { ...state(['healthy'], 'healthy'), needs_attention: [{ light: 'no_data' as const }] };
    expect(headline(listed)).toEqual({ light: 'no_data', text: '1 of 1 application has stopped running' });
  });

  it('says that nothing is judged', () => {
    expect(headline(state(['unmonitored', 'unmonitored'], 'unmonitored', true)).text).toBe(
      'No application has thresholds',
    );
    expect(unjudgedText(state(['healthy', 'unmonitored'], 'healthy'))).toBe(
      '1 application has no thresholds, so nothing is known about it.',
    );
    expect(unjudgedText(state(['healthy'], 'healthy'))).toBe('');
  });
});
