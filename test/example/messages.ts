/** What a worker process is told when it is started, as JSON. Where the database is it learns from DATABASE_URL, as connect() does. */
export interface WorkerSettings {
  readonly schema: string;
  readonly namespace: string;
  readonly name: string;
}

/** What a worker process tells the driver. It does not matter to the work: the driver shows it, and `--kill-one` waits for it. */
export interface WorkerMessage {
  readonly event: 'claimed' | 'done';
  readonly units: number;
}
