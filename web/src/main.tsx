import { render } from 'preact';
import { App } from './app.jsx';
import { startUpdates } from './service.js';
import { startClock } from './state.js';

const root = document.getElementById('app');
if (root) render(<App />, root);
startClock();
startUpdates();
