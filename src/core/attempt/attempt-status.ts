/** Every status an attempt can have. All but `pending` are final, except that a failed attempt may still be finished. */
export const attemptStatuses = ['pending', 'expired', 'finished', 'failed', 'retryable'] as const;

/** See `attemptStatuses`. */
export type AttemptStatus = (typeof attemptStatuses)[number];

/** How a report ends an attempt. */
export type EndStatus = Extract<AttemptStatus, 'finished' | 'failed'>;
