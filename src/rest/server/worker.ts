import type { Attempt } from '../../core/attempt/attempt.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import type { Worker } from '../../core/worker/worker.js';
import type { WorkUnit } from '../../core/work-unit/work-unit.js';
import { MalformedRequestError, NoSuchWorkerError, NoSuchWorkUnitError } from '../../errors/index.js';
import {
  attemptRequestFromBody,
  attemptSpecificFromBody,
  attemptsSpecificFromBody,
  decodeTextName,
  flagMember,
  isTrue,
  member,
  optionalDataFromWire,
  textMember,
  timeMember,
  ValueBudget,
  workerStateToBody,
  type AttemptResponseBody,
  type Body,
  type Format,
  type ShortBody,
  type WorkerBody,
  type WorkerListBody,
} from '../wire/index.js';
import { ok, type Answer } from './answer.js';
import { attemptBody, attemptListBody } from './attempt-bodies.js';
import type { Exchange } from './exchange.js';
import { workerUrl, workSpecUrl } from './links.js';
import { findNamespace, knownNamespace, namespaceName } from './namespace.js';
import { giveBack } from './waiting-room.js';

/** How many attempts of a worker are answered at most when the client does not say. */
const mostAttempts = 100_000;
/** How many of them are read at once. */
const pageSize = 1_000;

/** Naming a worker makes it, except when who does so may not work here. */
export async function findWorker(exchange: Exchange): Promise<Worker> {
  const name = decodeTextName(exchange.segments.worker ?? '');
  if (exchange.access.may('work', namespaceName(exchange))) {
    return exchange.known.worker(namespaceName(exchange), name, () => findNamespace(exchange));
  }
  const namespace = await knownNamespace(exchange);
  const [first] = await namespace.workers({ start: name, limit: 1 });
  if (first?.name !== name) throw new NoSuchWorkerError(name);
  return first;
}

export async function listWorkers(namespace: Namespace, { query }: Exchange): Promise<Answer> {
  const limit = numberParameter(query, 'limit');
  const workers = await namespace.workers({
    start: query.get('start') ?? '',
    activeOnly: isTrue(query.get('active')),
    ...(limit !== undefined && { limit }),
  });
  const body: WorkerListBody = { workers: workers.map(shortBody) };
  return ok(body);
}

export async function getWorker(worker: Worker, { format }: Exchange): Promise<Answer> {
  return ok(await workerBody(worker, format));
}

/**
 * Sets the parent if one is given, then whether it is active. A body that gives a parent, but neither says that the worker is active nor
 * when it was last heard of, is how old clients set the parent alone: it says nothing about the worker being active.
 */
export async function putWorker(worker: Worker, { body }: Exchange): Promise<undefined> {
  const [active, now, expiration] = [flagMember(body, 'active'), timeMember(body, 'last_update'), timeMember(body, 'expiration')];
  const data = optionalDataFromWire(member(body, 'data'), 'data', new ValueBudget()) ?? null;
  const mode = textMember(body, 'mode');
  const setsParent = await setParent(worker, body);
  if (active) {
    await worker.update({ data, mode, ...(now && { now }), ...(expiration && { expiration }) });
  } else if (!setsParent || now !== null || expiration !== null) {
    await worker.deactivate();
  }
}

export async function postRequestAttempts(worker: Worker, exchange: Exchange): Promise<Answer> {
  const attempts = await exchange.waiting.requestOrWait(worker, attemptRequestFromBody(exchange.body), exchange);
  const takeBack = (): Promise<void> => giveBack(attempts);
  try {
    return { ...ok(attemptResponse(attempts, exchange.format)), takeBack };
  } catch (error) {
    await takeBack();
    throw error;
  }
}

export async function postMakeAttempt(worker: Worker, { body, format }: Exchange): Promise<Answer> {
  const { workSpec, workUnit, lifetimeMs } = attemptSpecificFromBody(body);
  const unit = await (await worker.namespace.workSpec(workSpec)).workUnit(workUnit);
  const attempt = await worker.makeAttempt(unit, lifetimeMs);
  return ok(attemptBody(attempt, attempt, format));
}

export async function postMakeAttempts(worker: Worker, { body, format }: Exchange): Promise<Answer> {
  const { units, lifetimeMs } = attemptsSpecificFromBody(body);
  const attempts = await worker.makeAttempts(await findUnits(worker.namespace, units), lifetimeMs);
  const answer: AttemptResponseBody = { attempts: attempts.map((attempt) => attemptBody(attempt, attempt, format)) };
  return ok(answer);
}

/** Raises NoSuchWorkSpec; NoSuchWorkUnit. */
async function findUnits(namespace: Namespace, units: readonly { readonly workSpec: string; readonly workUnit: Uint8Array }[]): Promise<WorkUnit[]> {
  const found = new Map<string, WorkUnit>();
  const keyOf = (workSpec: string, key: Uint8Array): string => `${Buffer.from(key).toString('hex')} ${workSpec}`;
  for (const name of new Set(units.map(({ workSpec }) => workSpec))) {
    const spec = await namespace.workSpec(name);
    const names = units.filter(({ workSpec }) => workSpec === name).map(({ workUnit }) => workUnit);
    for (const unit of await spec.workUnits({ names })) found.set(keyOf(name, unit.key), unit);
  }
  return units.map(({ workSpec, workUnit }) => {
    const unit = found.get(keyOf(workSpec, workUnit));
    if (unit === undefined) throw new NoSuchWorkUnitError(Buffer.from(workUnit).toString('utf8'));
    return unit;
  });
}

export async function getActiveAttempts(worker: Worker, exchange: Exchange): Promise<Answer> {
  return ok(attemptListBody(await worker.activeAttempts(), exchange));
}

/** By number: a page of them with `after` and `limit`. */
export async function getAllAttempts(worker: Worker, exchange: Exchange): Promise<Answer> {
  const { query } = exchange;
  let after = numberParameter(query, 'after') ?? 0;
  const most = numberParameter(query, 'limit') ?? mostAttempts;
  const attempts: Attempt[] = [];
  for (;;) {
    const limit = Math.min(pageSize, most - attempts.length);
    const page = await worker.allAttempts({ after, limit });
    attempts.push(...page);
    after = page.at(-1)?.number ?? after;
    if (page.length < pageSize || attempts.length >= most) return ok(attemptListBody(attempts, exchange));
  }
}

export async function getChildAttempts(worker: Worker, exchange: Exchange): Promise<Answer> {
  return ok(attemptListBody(await worker.childAttempts(), exchange));
}

/** Absent: it stays as it is. Empty: it is to have none. Whether one was given. */
async function setParent(worker: Worker, body: Body): Promise<boolean> {
  if (member(body, 'parent') === undefined) return false;
  const parent = textMember(body, 'parent');
  await worker.setParent(parent === '' ? null : await worker.namespace.worker(parent));
  return true;
}

function attemptResponse(attempts: readonly Attempt[], format: Format): AttemptResponseBody {
  const [first] = attempts;
  if (first === undefined) return { attempts: null };
  return {
    work_spec_url: workSpecUrl(first.workUnit.workSpec),
    attempts: attempts.map((attempt) => attemptBody(attempt, attempt, format)),
  };
}

async function workerBody(worker: Worker, format: Format): Promise<WorkerBody> {
  const [state, children] = await Promise.all([worker.read(), worker.children()]);
  const url = workerUrl(worker);
  return {
    ...shortBody(worker),
    ...workerStateToBody(state, format),
    ...(state.parent !== null && { parent_url: workerUrl({ namespace: worker.namespace, name: state.parent }) }),
    ...(children.length > 0 && { child_urls: children.map(workerUrl), child_names: children.map(({ name }) => name) }),
    request_attempts_url: `${url}/request_attempts`,
    make_attempt_url: `${url}/make_attempt`,
    make_attempts_url: `${url}/make_attempts`,
    active_attempts_url: `${url}/active_attempts`,
    all_attempts_url: `${url}/all_attempts`,
    all_attempts_query_url: `${url}/all_attempts{?after,limit,full}`,
    child_attempts_url: `${url}/child_attempts`,
    active_attempts_query_url: `${url}/active_attempts{?full}`,
    child_attempts_query_url: `${url}/child_attempts{?full}`,
  };
}

function shortBody(worker: Worker): ShortBody {
  return { name: worker.name, url: workerUrl(worker) };
}

function numberParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? '';
  if (text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new MalformedRequestError(`the ${name} ${JSON.stringify(text.slice(0, 60))} is no whole number`);
  return Number(text);
}
