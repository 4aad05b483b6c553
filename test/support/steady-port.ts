import { once } from 'node:events';
import { createServer } from 'node:net';

const [lowest, count] = [20_000, 10_000];

/**
 * A free port to start a server on, and to start it on again later. Whoever lets the system choose a port is never given one of these,
 * so that nobody takes it while the server is down. (The system chooses from 32768 on, elsewhere than on Linux from 49152.)
 */
export async function steadyPort(): Promise<number> {
  // Others look for one at the same time: not all from the same port on.
  const first = Math.floor(Math.random() * count);
  for (let tried = 0; tried < count; tried++) {
    const port = lowest + ((first + tried) % count);
    if (await isFree(port)) return port;
  }
  throw new Error(`none of the ports from ${lowest} to ${lowest + count - 1} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
