/** The page that `hf-aws serve` shows: the entry of what the build makes of this folder. */
import { render } from 'preact';
import { App } from './app.tsx';

render(<App />, document.body);
