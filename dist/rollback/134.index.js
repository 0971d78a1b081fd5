export const id = 134;
export const ids = [134];
export const modules = {

/***/ 28137:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "3300e7b70682a6c5bc7f.sh";

/***/ }),

/***/ 12134:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  createDropped: () => (/* binding */ createDropped),
  withoutCreated: () => (/* binding */ withoutCreated)
});

// EXTERNAL MODULE: ./build/shared/backups/find-database.js
var find_database = __webpack_require__(96815);
// EXTERNAL MODULE: ./build/shared/failure.js
var shared_failure = __webpack_require__(926);
// EXTERNAL MODULE: ./build/shared/host/backup-folder.js
var backup_folder = __webpack_require__(53542);
// EXTERNAL MODULE: ./build/shared/host/lock-holder.js
var lock_holder = __webpack_require__(39135);
;// CONCATENATED MODULE: ./build/shared/host/held-lock.js


const program = {
    name: 'hold-lock',
    step: 'holding a lock',
    scripts: [__webpack_require__.ab + "hold-lock.sh"],
};
/**
 * Takes a lock that outlasts a program, and holds it until `release`, or until the runner is gone.
 * @throws Failure `lock-held`, `lock-unusable`, `lock-lost`; as any program's
 */
function holdLock(connection, request) {
    return holdLockBy(connection, program, {}, request);
}
/** The same, by a program that does its own work first. */
async function holdLockBy(connection, taking, parameters, { lock, longest, signal, onLog, onWait }) {
    const run = connection.run(taking, parameters, {
        deadline: longest,
        atEnd: 'linger',
        lock,
        signal,
        onLog,
        onProgress: (_, value) => onWait(value),
    });
    try {
        return { records: await run.result, release: (patience) => run.release(patience) };
    }
    catch (error) {
        await run.release();
        if ((0,shared_failure/* isFailure */.N6)(error, 'lock-held'))
            throw (0,lock_holder/* lockHeld */.bh)(error.message, lock.path, lock.wait);
        throw error;
    }
}

// EXTERNAL MODULE: ./build/shared/report/in-container.js
var in_container = __webpack_require__(97718);
// EXTERNAL MODULE: ./build/shared/postgres/scripts.js
var scripts = __webpack_require__(33338);
// EXTERNAL MODULE: ./build/shared/restore/server.js
var restore_server = __webpack_require__(40562);
;// CONCATENATED MODULE: ./build/shared/restore/create-missing.js



const create_missing_program = {
    name: 'create-missing',
    step: 'looking for the database',
    scripts: [new URL(/* asset import */ __webpack_require__(28137), __webpack_require__.b)],
};
/**
 * Looks whether the server lacks a database, and creates an empty one in its place if it may.
 * @param server its database is the one that was asked for; empty: the one that the container's variables name
 * @returns null if it is there
 * @throws Failure `database-silent`
 */
async function createMissing(connection, server, { mayCreate, signal, onLog }) {
    const parameters = parametersFor(server, mayCreate ? 'create_missing' : 'missing');
    const records = await connection.run(create_missing_program, parameters, { deadline: 120_000, atEnd: 'finish', signal, onLog })
        .result;
    const [, state, name = ''] = /^(\S+) (.*)$/s.exec(records.get('answer')) ?? [];
    return state === undefined ? null : { state: state, name };
}
/**
 * Drops what `createMissing` has created, unless it is in use, or no longer as it was created.
 * @param lock who holds it may have taken it over
 */
async function dropCreated(connection, server, { lock, onLog }) {
    try {
        const run = connection.run(create_missing_program, parametersFor(server, 'drop_created'), {
            deadline: 60_000,
            atEnd: 'finish',
            lock,
            onLog,
        });
        return (await run.result).get('answer');
    }
    catch (error) {
        if (!(0,shared_failure/* isFailure */.N6)(error))
            throw error;
        if (error.code === 'lock-held')
            return 'restoring';
        onLog(`Could not drop ${server.database}: ${error.message}`);
        return 'unknown';
    }
}
const parametersFor = (server, verb) => ({
    ...(0,restore_server/* serverParameters */.C)(server),
    database: server.database,
    inside_script: (0,scripts/* replaceScript */.kl)(),
    verb,
});

// EXTERNAL MODULE: ./build/shared/runner/log.js
var log = __webpack_require__(33437);
;// CONCATENATED MODULE: ./build/rollback-action/dropped-database.js







/**
 * A database that was dropped can be restored as well: an empty one is created for the backup to replace.
 * One that an earlier run has created, and was cut off, is taken for ours: it goes again as well if this comes to nothing. Unless
 * somebody works on the host: that may be the run which has created it. Before that one has a copy, or a lock on the folder, the lock
 * on what it has created tells that it lives.
 * @param look surveys the host again; asks this database, or null for the one of the inputs
 * @param run `created` is set before anything else can fail; if it was already, this changes nothing
 * @returns what was seen at last
 * @throws Failure `cannot-restore` if it is missing and cannot be created, or nothing may be changed; `lock-held`
 */
async function createDropped(connection, seen, inputs, look, run) {
    if (run.created !== null)
        return seen;
    // What was seen without the lock may be over.
    const locked = async () => {
        run.held = await holdCreated(connection, inputs, run);
        return createDropped(connection, await look(null), inputs, look, run);
    };
    const { id, name } = (0,find_database/* findDatabase */.X)(seen, inputs);
    if (!isRefused(seen)) {
        const { isLeftover, database, user, access } = (0,find_database/* askedDatabase */.k)(seen);
        if (!isLeftover || inputs.planOnly || seen.lockHolder !== null)
            return seen;
        if (run.held === null)
            return locked();
        run.created = { server: { container: id, user, database, access }, containerName: name };
        log.notice(`The database "${database}" is empty: an earlier restore created it and was cut off`);
        return seen;
    }
    // How the server is reached, if it is there at all.
    const other = await look('template1');
    if (isRefused(other))
        return seen;
    const { access, user } = (0,find_database/* askedDatabase */.k)(other);
    const server = {
        container: id,
        user: inputs.databaseUser ?? '',
        database: inputs.databaseName ?? '',
        access,
    };
    const mayCreate = run.held !== null;
    const missing = await createMissing(connection, server, { mayCreate, signal: run.signal, onLog: log.host });
    if (missing === null)
        return seen;
    if (missing.state === 'missing' && !inputs.planOnly)
        return locked();
    if (missing.state !== 'created')
        throw notCreated(missing, user, name);
    run.created = { server: { ...server, database: missing.name }, containerName: name };
    log.notice(`The server had no database "${missing.name}": created an empty one, which the backup replaces`);
    return look(null);
}
function holdCreated(connection, inputs, { holder, signal }) {
    const { backupDir, lockWait, timeout } = inputs;
    return holdLock(connection, {
        lock: { path: (0,backup_folder/* createdLock */.kt)(backupDir), wait: lockWait, holder },
        // As long as the longest restore with all that comes before and after it.
        longest: 8 * timeout + lockWait,
        signal,
        onLog: log.host,
        onWait: (other) => log.progress(`Waiting for another restore of a database that was dropped: ${other}`),
    });
}
function notCreated({ state, name }, user, container) {
    if (state === 'missing')
        return new shared_failure/* Failure */.HR('cannot-restore', `The server has no database "${name}", so there is nothing to plan`, {
            hint: `Nothing was changed. If it was dropped, run this without "plan-only", which creates it; or create an empty one, on the host: ${(0,in_container/* pastedLine */.wQ)(['docker', 'exec', container, 'createdb', `--username=${user}`, '--', name])}. If you meant another database, correct "db-name"`,
        });
    const [why, remedy] = state === 'standby'
        ? ['the server is a standby', 'Restore on the primary: set "host", or "db-service"']
        : [`"${user}" is not a superuser`, 'Set "db-user" to one'];
    return new shared_failure/* Failure */.HR('cannot-restore', `The server has no database "${name}", and ${why}: it cannot be created`, {
        hint: `Nothing was changed. ${remedy}. If you meant another database, correct "db-name"`,
    });
}
/**
 * After a restore that came to nothing, the database is missing as it was before: an empty one would look as if all were well. Unless
 * another restore has taken it over meanwhile: the lock is taken anew, as it was lost with the connection if that was.
 * @returns the failure, which says so if it is still there
 */
async function withoutCreated(connection, created, { backupDir, holder }, failure) {
    const { database } = created.server;
    const lock = { path: (0,backup_folder/* createdLock */.kt)(backupDir), wait: 10_000, holder };
    const fate = await dropCreated(connection, created.server, { lock, onLog: log.host });
    if (fate === 'dropped')
        log.notice(`Dropped the empty database "${database}" again, which was created for this restore`);
    if (fate === 'dropped' || fate === 'gone' || !(0,shared_failure/* isFailure */.N6)(failure))
        return failure;
    const left = describeLeftover(created, fate);
    return new shared_failure/* Failure */.HR(failure.code, failure.message, {
        hint: failure.hint === undefined ? left : `${failure.hint}\n${left}`,
        cause: failure.cause,
    });
}
/** Gives the command that drops it only if it was seen to be empty, and nobody is about to fill it. */
function describeLeftover({ server, containerName: container }, fate) {
    const { database, user, access } = server;
    const subject = `The database "${database}", created empty for this restore,`;
    switch (fate) {
        case 'not-empty':
            return `${subject} was kept: somebody has changed it since, or restored into it`;
        case 'restoring':
            return `${subject} was kept: another restore is about to replace it. Let that one finish. If there is none, start this one again: it drops what was left`;
        case 'unknown':
            return `${subject} may still be there: the server did not say. The next restore recognizes it, if it is still empty`;
        case 'in-use': {
            const words = ['dropdb', `--username=${user}`, '--maintenance-db=template1', '--', database];
            return `${subject} could not be dropped: it is in use. Once nobody is connected, and if it is still empty, on the host: ${(0,in_container/* pastedLine */.wQ)([...(0,in_container/* inContainer */.Bc)({ container, access }), ...words])}`;
        }
    }
}
/** Whether the server, or somebody on the way to it, refused a session. */
function isRefused(seen) {
    try {
        (0,find_database/* askedDatabase */.k)(seen);
        return false;
    }
    catch (error) {
        return (0,shared_failure/* isFailure */.N6)(error, 'database-refuses');
    }
}


/***/ }),

/***/ 40562:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   C: () => (/* binding */ serverParameters)
/* harmony export */ });
/** How the programs on the host take the way to it. */
const serverParameters = ({ container, user, access }) => ({
    container,
    user,
    server_host: access.place?.host ?? '',
    server_port: access.place?.port ?? '',
    password_from: access.password ?? '',
});


/***/ })

};
