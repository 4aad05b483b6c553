import type { OldestWaiting } from '../../../core/summary/oldest-waiting.js';
import { asBody, listMember, numberMember, textMember, type Body } from '../members.js';

/** What `oldest_waiting_url` of a namespace answers: an addition. Work specs without available units are left out. */
export interface OldestWaitingBody {
  readonly oldest_waiting: readonly WaitingBody[];
}

export interface WaitingBody {
  readonly work_spec: string;
  readonly seconds: number;
}

export function oldestWaitingToBody(oldest: readonly OldestWaiting[]): OldestWaitingBody {
  return { oldest_waiting: oldest.map(({ workSpec, seconds }) => ({ work_spec: workSpec, seconds })) };
}

/** Raises MalformedRequest. */
export function oldestWaitingFromBody(body: Body, namespace: string): OldestWaiting[] {
  return listMember(body, 'oldest_waiting').map((item) => {
    const row = asBody(item, 'a work spec that waits');
    return { namespace, workSpec: textMember(row, 'work_spec'), seconds: numberMember(row, 'seconds') };
  });
}
