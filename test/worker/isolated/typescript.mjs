/* Preloaded into the threads and processes of the tests, so that they run TypeScript: `--import tsx` does so for processes only. */
import { register } from 'tsx/esm/api';

register();
