import { render } from 'preact';
import { App } from './frame/app.jsx';
import { startRouter } from './frame/router.js';
import { startClock } from './service/clock.js';
import { startUpdates } from './service/events.js';

const root = document.getElementById('app');
startRouter();
if (root) render(<App />, root);
startClock();
startUpdates();
