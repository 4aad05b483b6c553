import { findAttempt, getAttempt, reportOf } from './attempt.js';
import { postReports } from './attempt-reports.js';
import { deleteNamespace, findNamespace, getEvents, getNamespace, getNamespaceSummary, getOldestWaiting, knownNamespace, listNamespaces, postNamespace } from './namespace.js';
import { attemptQuery, metaQuery, unitQuery, unitReadQuery, workerQuery } from './openapi/parameters.js';
import { findNothing, getRoot, getSummary, getTime } from './root.js';
import { route, type Operation, type Route } from './route.js';
import * as spec from './work-spec.js';
import * as unit from './work-unit.js';
import * as worker from './worker.js';
import type { Attempt } from '../../core/attempt/attempt.js';
import type { AttemptAction } from '../wire/index.js';

const N = '/namespace/:namespace';
const S = `${N}/work_spec/:spec`;
const U = `${S}/work_unit/:unit`;
const A = `${U}/attempt/:worker/:number`;
const W = `${N}/worker/:worker`;

const report = (action: AttemptAction, does: string): { POST: Operation<Attempt> } => ({
  POST: { needs: 'work', does, takes: 'AttemptCompletion', run: reportOf(action) },
});

/**
 * Every path of the tree: how to find what it names, what can be done with it, and which role that needs. All others are 404.
 */
export const routes: readonly Route[] = [
  route('/', findNothing, { GET: { needs: 'read', does: 'Where clients begin.', answers: 'Root', run: getRoot } }),
  route('/summary', findNothing, {
    GET: { needs: 'read', does: 'Counts units by namespace, work spec and status.', answers: 'Summary', run: getSummary },
  }),
  route('/time', findNothing, {
    GET: { needs: 'read', does: 'Tells the time by which the queue goes.', answers: 'Time', run: getTime },
  }),

  route('/namespace', findNothing, {
    GET: { needs: 'read', does: 'Lists namespaces.', answers: 'NamespaceList', run: listNamespaces },
    POST: { needs: 'read', does: 'Finds or makes a namespace.', takes: 'NamespaceInput', answers: 'Namespace', creates: true, run: postNamespace },
  }),
  route(N, findNamespace, {
    GET: { needs: 'read', does: 'Finds or makes a namespace.', answers: 'Namespace', run: getNamespace },
    DELETE: { needs: 'admin', does: 'Deletes a namespace and all that is in it.', run: deleteNamespace },
  }),
  route(`${N}/summary`, findNamespace, {
    GET: { needs: 'read', does: 'Counts units by work spec and status.', answers: 'Summary', run: getNamespaceSummary },
  }),
  route(`${N}/oldest_waiting`, findNamespace, {
    GET: { needs: 'read', does: 'Tells for how long units of each work spec have waited.', answers: 'OldestWaiting', run: getOldestWaiting },
  }),
  route(`${N}/attempt_reports`, knownNamespace, {
    POST: { needs: 'work', does: 'Reports on many attempts.', takes: 'AttemptReports', answers: 'Verdicts', run: postReports },
  }),

  route(`${N}/events`, findNamespace, {
    GET: { needs: 'read', does: 'Tells what happens, as it happens, as server-sent events.', streams: 'Event', run: getEvents },
  }),

  route(`${N}/work_spec`, findNamespace, {
    GET: { needs: 'read', does: 'Lists work specs.', answers: 'WorkSpecList', run: spec.listWorkSpecs },
    POST: { needs: 'produce', does: 'Defines a work spec.', takes: 'NewWorkSpec', answers: 'Short', creates: true, run: spec.postWorkSpec },
  }),
  route(S, spec.findWorkSpec, {
    GET: { needs: 'read', does: 'Reads a work spec.', answers: 'WorkSpec', run: spec.getWorkSpec },
    PUT: { needs: 'produce', does: 'Redefines a work spec.', takes: 'WorkSpecInput', run: spec.putWorkSpec },
    DELETE: { needs: 'admin', does: 'Deletes a work spec and its units.', run: spec.deleteWorkSpec },
  }),
  route(`${S}/meta`, spec.findWorkSpec, {
    GET: { needs: 'read', does: 'Reads what the scheduler reads.', query: metaQuery, answers: 'WorkSpecMeta', run: spec.getMeta },
    PUT: { needs: 'produce', does: 'Sets it: what is left out is 0, false or none.', takes: 'WorkSpecMetaInput', run: spec.putMeta },
    PATCH: { needs: 'produce', does: 'Changes what is given.', takes: 'WorkSpecMetaInput', run: spec.patchMeta },
  }),
  route(`${S}/counts`, spec.findWorkSpec, {
    GET: { needs: 'read', does: 'Counts units by status.', answers: 'Counts', run: spec.getCounts },
  }),
  route(`${S}/summary`, spec.findWorkSpec, {
    GET: { needs: 'read', does: 'Counts units by status, in the form of a summary.', answers: 'Summary', run: spec.getWorkSpecSummary },
  }),
  route(`${S}/change`, spec.findWorkSpec, {
    POST: { needs: 'produce', does: 'Sets the priority of units.', query: unitQuery, takes: 'PriorityInput', run: spec.postChange },
  }),
  route(`${S}/adjust`, spec.findWorkSpec, {
    POST: { needs: 'produce', does: 'Adds to the priority of units.', query: unitQuery, takes: 'PriorityInput', run: spec.postAdjust },
  }),

  route(`${S}/work_unit`, spec.findWorkSpec, {
    GET: { needs: 'read', does: 'Lists units by name.', query: unitQuery, answers: 'WorkUnitList', run: unit.listWorkUnits },
    POST: { needs: 'produce', does: 'Adds a unit.', takes: 'NewWorkUnit', answers: 'Short', creates: true, run: unit.postWorkUnit },
    DELETE: { needs: 'admin', does: 'Deletes units.', query: unitQuery, answers: 'Deleted', run: unit.deleteWorkUnits },
  }),
  route(`${S}/work_units`, spec.findWorkSpec, {
    POST: { needs: 'produce', does: 'Adds many units.', takes: 'WorkUnitBatch', answers: 'Added', run: unit.postWorkUnits },
  }),
  route(`${S}/read`, spec.findWorkSpec, {
    GET: { needs: 'read', does: 'Reads a page of units, with what is in them.', query: unitReadQuery, answers: 'WorkUnitPage', run: unit.readWorkUnits },
  }),
  route(U, unit.findWorkUnit, {
    GET: { needs: 'read', does: 'Reads a unit.', answers: 'WorkUnit', run: unit.getWorkUnit },
    PUT: { needs: 'produce', does: 'Changes when a unit is handed out, or takes it back.', takes: 'WorkUnitInput', run: unit.putWorkUnit },
    DELETE: { needs: 'admin', does: 'Deletes a unit.', run: unit.deleteWorkUnit },
  }),
  route(`${U}/attempts`, unit.findWorkUnit, {
    GET: { needs: 'read', does: 'Lists the attempts on a unit.', answers: 'AttemptList', run: unit.getUnitAttempts },
  }),
  route(`${U}/num-attempts`, unit.findWorkUnit, {
    GET: { needs: 'read', does: 'Counts the attempts on a unit.', answers: 'Number', run: unit.getNumAttempts },
  }),
  route(`${U}/explain`, unit.findWorkUnit, {
    GET: { needs: 'read', does: 'Says why a unit is, or is not, running.', answers: 'Explanation', run: unit.getExplanation },
  }),
  route(`${U}/cancel`, unit.findWorkUnit, {
    POST: { needs: 'produce', does: 'Stops the running attempt.', takes: 'CancelInput', answers: 'Cancelled', run: unit.postCancel },
  }),

  // There is nothing to be done with it, but it is there.
  route(`${U}/attempt`, unit.findWorkUnit, {}),
  route(A, findAttempt, { GET: { needs: 'read', does: 'Reads an attempt.', answers: 'Attempt', run: getAttempt } }),
  route(`${A}/renew`, findAttempt, report('renew', 'Makes the lease of an attempt longer.')),
  route(`${A}/expire`, findAttempt, report('expire', 'Gives a unit back.')),
  route(`${A}/finish`, findAttempt, report('finish', 'Says that a unit is done.')),
  route(`${A}/fail`, findAttempt, report('fail', 'Says that a unit cannot be done.')),
  route(`${A}/retry`, findAttempt, report('retry', 'Says that a unit must be tried again.')),

  route(`${N}/worker`, findNamespace, {
    GET: { needs: 'read', does: 'Lists workers by name.', query: workerQuery, answers: 'WorkerList', run: worker.listWorkers },
  }),
  route(W, worker.findWorker, {
    GET: { needs: 'read', does: 'Finds or makes a worker.', answers: 'Worker', run: worker.getWorker },
    PUT: { needs: 'work', does: 'Says how a worker is.', takes: 'WorkerInput', run: worker.putWorker },
  }),
  route(`${W}/request_attempts`, worker.findWorker, {
    POST: { needs: 'work', does: 'Asks for work.', takes: 'AttemptRequest', answers: 'AttemptResponse', run: worker.postRequestAttempts },
  }),
  route(`${W}/make_attempt`, worker.findWorker, {
    POST: { needs: 'work', does: 'Takes a unit, whatever its state.', takes: 'AttemptSpecific', answers: 'Attempt', run: worker.postMakeAttempt },
  }),
  route(`${W}/make_attempts`, worker.findWorker, {
    POST: { needs: 'work', does: 'Takes many units, whatever their state: all, or none.', takes: 'AttemptsSpecific', answers: 'AttemptResponse', run: worker.postMakeAttempts },
  }),
  route(`${W}/active_attempts`, worker.findWorker, {
    GET: { needs: 'read', does: 'Lists what a worker is working on.', answers: 'AttemptList', run: worker.getActiveAttempts },
  }),
  route(`${W}/all_attempts`, worker.findWorker, {
    GET: { needs: 'read', does: 'Lists all attempts of a worker.', query: attemptQuery, answers: 'AttemptList', run: worker.getAllAttempts },
  }),
  route(`${W}/child_attempts`, worker.findWorker, {
    GET: { needs: 'read', does: 'Lists what the children of a worker are working on.', answers: 'AttemptList', run: worker.getChildAttempts },
  }),
];
