export const id = 932;
export const ids = [932];
export const modules = {

/***/ 2220:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "e296c092f7c9b1557e25.sh";

/***/ }),

/***/ 20520:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "7a95c999ff0d3ede2220.sh";

/***/ }),

/***/ 18756:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "0720957f11f380e4a2b8.sh";

/***/ }),

/***/ 26572:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "c0798b3b7458e94906e7.sh";

/***/ }),

/***/ 79329:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "49c0f33ff4bb2c2a556a.sh";

/***/ }),

/***/ 5216:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "c3f82d5dcdcea3b77b6c.sh";

/***/ }),

/***/ 21706:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "e80a84fc758b33dccfbe.sh";

/***/ }),

/***/ 45055:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "58c06cd696675c6ddf15.sh";

/***/ }),

/***/ 97094:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "57a63cdad9785ef03cba.sh";

/***/ }),

/***/ 60932:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  checkDrill: () => (/* binding */ checkDrill)
});

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: ./build/shared/failure.js
var shared_failure = __webpack_require__(926);
// EXTERNAL MODULE: ./build/shared/host/pour.js
var pour = __webpack_require__(64109);
;// CONCATENATED MODULE: ./build/shared/postgres/chosen-tables.js
/**
 * What a restored database is asked for: the same hashes as the source.
 * @returns a value for psql's `\set chosen`, as facts-tables.sql takes it
 */
function chosenTables(tables) {
    const hashed = tables.flatMap(({ schema, name, content }) => content === null ? [] : [{ schema, name, oneIn: content.oneIn }]);
    return `'${JSON.stringify(hashed).replaceAll(/[\\']/g, '\\$&')}'`;
}

// EXTERNAL MODULE: ./build/shared/postgres/printed-errors.js
var printed_errors = __webpack_require__(6466);
// EXTERNAL MODULE: ./build/shared/postgres/scripts.js
var scripts = __webpack_require__(33338);
// EXTERNAL MODULE: ./build/shared/report/restore-command.js + 1 modules
var restore_command = __webpack_require__(64052);
// EXTERNAL MODULE: ./build/shared/sets/catalogue.js
var sets_catalogue = __webpack_require__(43373);
// EXTERNAL MODULE: ./build/shared/sets/read-sets.js
var read_sets = __webpack_require__(6646);
;// CONCATENATED MODULE: ./build/shared/drill/drill-request.js
/** The name of a drill's container. */
const containerOf = (token) => `atlasia-drill-${token}`;

// EXTERNAL MODULE: ./build/shared/units.js
var units = __webpack_require__(98295);
;// CONCATENATED MODULE: ./build/shared/drill/explain.js



/** Turns a failure that the host named into advice for the operator. */
function explain(failure, request) {
    const { image } = request;
    if (failure.code === 'drill-room-gone')
        return roomGone(failure, request);
    if (failure.code === 'transfer-cut')
        return new shared_failure/* Failure */.HR(failure.code, failure.message, {
            hint: 'Nothing was proven. Check the connection between runner and host, then drill it again',
            cause: failure.cause,
        });
    if (failure.code === 'drill-no-room') {
        const [free = 0, needed = 0] = failure.message.split(' ').map(Number);
        return new shared_failure/* Failure */.HR(failure.code, `Not enough space on Docker's disk: a drill needs ${(0,units/* formatBytes */.z3)(needed)}, and ${(0,units/* formatBytes */.z3)(free)} are free`, {
            hint: 'Nothing was restored. Make room: docker system df on the host. Or drill on another machine',
        });
    }
    if (failure.code !== 'drill-not-started')
        return failure;
    return new shared_failure/* Failure */.HR(failure.code, failure.message, {
        hint: `Check that ${image} is an official PostgreSQL image with a user "postgres", or raise "drill-memory"`,
        cause: failure.cause,
    });
}
/** States only what is known: the free space, and what the container itself used. Not who used the rest. */
function roomGone({ code, message }, { token, neededBytes, leastBytes }) {
    const [free = NaN, filled = NaN] = message.split(' ').map(Number);
    const expected = neededBytes - leastBytes;
    const writes = 'Check what the functions, triggers and indexes of the backup write when it is restored';
    let why = `Docker's disk had only ${(0,units/* formatBytes */.z3)(free)} left, less than "min-free-space" (${(0,units/* formatBytes */.z3)(leastBytes)})`;
    let next = filled > expected ? writes : 'Make room, or lower "min-free-space", then drill it again';
    if (Number.isNaN(free)) {
        why = "could no longer tell how much space is free on Docker's disk";
        next = 'Check that Docker answers, and what the functions of the backup start when it is restored';
    }
    else if (free >= leastBytes) {
        why = "Docker's disk is almost out of inodes";
        next = `To see which disk: df -i. ${writes}`;
    }
    const share = Number.isNaN(filled)
        ? ''
        : `. Its container had used ${(0,units/* formatBytes */.z3)(filled)}; at most ${(0,units/* formatBytes */.z3)(expected)} was expected`;
    const removed = message.endsWith(' gone')
        ? 'The container was removed and its space freed'
        : `The container could not be removed: docker rm --force --volumes ${containerOf(token)}`;
    return new shared_failure/* Failure */.HR(code, `Stopped the drill: ${why}${share}`, {
        hint: `${removed}; nothing else was touched. On the host: docker system df. ${next}`,
    });
}

;// CONCATENATED MODULE: ./build/shared/drill/memory.js

const MiB = 1024 ** 2;
/**
 * Bytes that a server needs to read one value of a dump: it holds the line, its fields and the value at the same time. Measured
 * with values of 50, 100 and 200 MiB: text takes 4 times its size, bytea 6 times.
 */
const atLeast = 4;
const atMost = 6;
/** The server itself, with what it keeps of the tables. */
const server = 256 * MiB;
/** What a session that builds indexes is given (`maintenance_work_mem` in drill-inside.sh), with what it needs besides, twice over. */
const perBuilder = 512 * MiB;
const mostBuilders = 8;
/** The most sessions that may build indexes at a time, in a drill with so many bytes of memory. */
function buildersIn(memory) {
    return Math.max(1, Math.min(mostBuilders, Math.floor(memory / perBuilder)));
}
/** The tables that certainly do not restore with so much memory; null if none is known. */
function memoryShortage(tables, memory) {
    const tooLarge = tables.filter(({ isDumped, largestValue }) => isDumped && (largestValue ?? 0) * atLeast > memory);
    if (tooLarge.length === 0)
        return null;
    return {
        tables: (0,units/* listed */.KE)(tooLarge.map(({ schema, name }) => `${schema}.${name}`), 5),
        largestValue: largestOf(tooLarge) ?? 0,
    };
}
/** Bytes of the largest value of all; null if it is not known. */
function largestOf(tables) {
    return tables.reduce((most, { largestValue }) => (largestValue === null ? most : Math.max(most ?? 0, largestValue)), null);
}
/** What to set `drill-memory` to, as it is written there. @param memory bytes that were too little */
function enoughMemory(largestValue, memory) {
    const wanted = largestValue === null ? 2 * memory : Math.max(largestValue * atMost + server, memory + server);
    const quarters = Math.ceil(wanted / server);
    return quarters % 4 === 0 ? `${quarters / 4}GiB` : `${quarters * 256}MiB`;
}

// EXTERNAL MODULE: ./build/shared/postgres/facts.js
var facts = __webpack_require__(4033);
;// CONCATENATED MODULE: ./build/shared/drill/restored.js



/**
 * Reads what the program on the host reports about the restored database. The backup may be hostile, so nothing is trusted.
 * @throws Failure `drill-incomplete` if the counting session was cut short, or an answer was cut off or makes no sense
 */
function readRestored(records) {
    return {
        ...readRestoredData(records),
        schema: readSchema(records),
        indexes: readIndexes(records.get('indexes')),
        assertions: readAssertions(records),
    };
}
/** The data alone. @throws Failure `drill-incomplete`, as readRestored does */
function readRestoredData(records) {
    const { text, exit } = wholeOutput(records.get('facts'), 'its tables were counted');
    const lines = linesOf(text);
    if (!lines.includes('end') || !lines.some((line) => line.startsWith('sequences-after '))) {
        const cause = lines
            .slice(-3)
            .map((line) => line.slice(0, 200))
            .join('\n');
        // A session that ends well has printed all of its answer.
        throw exit === 0
            ? new shared_failure/* Failure */.HR('drill-incomplete', 'Something else was printed amid the counts of the restored data', {
                hint: printingHint,
                cause,
            })
            : new shared_failure/* Failure */.HR('drill-incomplete', 'Counting the restored data was cut short', {
                hint: 'Raise "drill-memory", or see the log',
                cause,
            });
    }
    const facts = factsIn(lines);
    return {
        tables: facts.tables,
        sequences: facts.sequencesAfter ?? [],
        largeObjects: facts.largeObjects,
        extensions: facts.extensions,
        members: facts.members,
        emptyViews: facts.emptyViews,
    };
}
/** @throws Failure `drill-incomplete` if a line makes no sense */
function factsIn(lines) {
    try {
        return (0,facts/* readFacts */.MH)(lines);
    }
    catch (error) {
        if (!(0,shared_failure/* isFailure */.N6)(error))
            throw error;
        throw new shared_failure/* Failure */.HR('drill-incomplete', error.message, { hint: printingHint, cause: error.cause });
    }
}
const printingHint = 'Find out what in the backup prints: functions, event triggers, settings of its roles';
/** @throws Failure `drill-incomplete` if pg_dump did not finish, or printed too much */
function readSchema(records) {
    const hash = readHash(records.get('schema'));
    if ('trouble' in hash) {
        const hint = hash.trouble.includes('more than') ? printingHint : 'See the log, or raise "drill-memory"';
        throw new shared_failure/* Failure */.HR('drill-incomplete', `Could not dump the schema of the restored database: ${hash.trouble}`, {
            hint,
        });
    }
    const lines = linesOf(records.find('schema-lines') ?? '');
    return { sha256: hash.sha256, ofFile: readSchemaOfFile(records), lines };
}
function readSchemaOfFile(records) {
    const restored = records.find('schema-restored');
    if (restored === undefined)
        return null;
    const { text, exit } = readSaid(restored);
    if (exit === 0)
        return readHash(records.get('schema-of-file'));
    const said = linesOf(text);
    return {
        trouble: `it does not restore: ${said.find((line) => line.includes('ERROR')) ?? said.at(-1) ?? 'no reason given'}`,
    };
}
function readHash(value) {
    if (/^[0-9a-f]{64}$/.test(value))
        return { sha256: value };
    const [, cutAt] = /^cut (\d+)$/.exec(value) ?? [];
    return {
        trouble: cutAt === undefined ? `pg_dump failed (${value})` : `it is more than ${(0,units/* formatBytes */.z3)(Number(cutAt))}`,
    };
}
/** States of SQL that say that what is stored is damaged. */
const corruption = /^XX00[12]$/;
/** @throws Failure `drill-incomplete` if it was cut off */
function readIndexes(value) {
    const { text, exit } = wholeOutput(value, 'its indexes were read');
    const lines = linesOf(text);
    const found = (pattern) => lines.flatMap((line) => pattern.exec(line)?.slice(1) ?? []);
    const reading = found(/^reading (\d+)$/)[0];
    const errors = lines.flatMap((line) => {
        const [, state = '', what = ''] = /ERROR: +(?:([0-9A-Z]{5}): )?(.*)$/.exec(line) ?? [];
        return what === '' ? [] : [{ isDamage: corruption.test(state), what }];
    });
    const unread = errors.filter(({ isDamage }) => !isDamage).map(({ what }) => what);
    const isOver = lines.includes('end') || lines.includes('unchecked');
    if (exit !== 0 || !isOver)
        unread.push('the session ended before all were read');
    return {
        checked: reading === undefined ? null : Number(reading) - errors.length,
        faults: [
            ...lines.filter((line) => line.startsWith('invalid ')),
            ...errors.filter(({ isDamage }) => isDamage).map(({ what }) => what),
        ],
        unread,
    };
}
function readAssertions(records) {
    const reader = records.find('reader');
    if (reader !== undefined && readSaid(reader).exit !== 0)
        return null;
    return records.all('assertion').map((value) => {
        const { text, exit, cutAt } = readSaid(value);
        const answer = text.trim();
        if (cutAt !== null)
            return {
                isTrue: false,
                answer: `more than ${(0,units/* formatBytes */.z3)(cutAt)} instead of one true or false${answer === '' ? '' : `: ${answer}`}`,
            };
        return { isTrue: exit === 0 && answer === 't', answer };
    });
}
function readSaid(value) {
    const [, text, exit, cutAt] = /^(.*)\n(?:exit (\d+)|cut (\d+))$/s.exec(value) ?? [];
    if (text === undefined)
        throw new Error('The host did not report how a command in the container ended');
    return { text, exit: exit === undefined ? null : Number(exit), cutAt: cutAt === undefined ? null : Number(cutAt) };
}
const linesOf = (text) => text.split('\n').filter((line) => line !== '');
/** @throws Failure `drill-incomplete` if it was cut off: an incomplete output is no answer, whatever it says */
function wholeOutput(value, meanwhile) {
    const said = readSaid(value);
    const { text, cutAt } = said;
    if (cutAt === null)
        return said;
    throw new shared_failure/* Failure */.HR('drill-incomplete', `The scratch server printed more than ${(0,units/* formatBytes */.z3)(cutAt)} while ${meanwhile}, so its output was cut off and discarded`, {
        hint: printingHint,
        cause: text.slice(0, 200),
    });
}

;// CONCATENATED MODULE: ./build/shared/drill/scratch-server.js
/** Libraries that start no process, so that a restore may build its indexes in parallel. */
const withoutWorkers = new Set([
    'auth_delay',
    'auto_explain',
    'passwordcheck',
    'pg_hint_plan',
    'pg_stat_statements',
    'pgaudit',
    'plpgsql',
    'supautils',
]);
/**
 * By these a restore reads values, functions compute what is generated, checked or decides the partition, and long values are made
 * short enough for an index. inside.sh reads them.
 */
const readingValues = new Set([
    'TimeZone',
    'DateStyle',
    'IntervalStyle',
    'default_text_search_config',
    'array_nulls',
    'extra_float_digits',
    'xmlbinary',
    'transform_null_equals',
    'default_toast_compression',
]);
/** What a manifest says of the source's server. Everything that goes into the configuration is quoted here. */
function scratchServer({ bootstrapRole, serverSettings, }) {
    const settings = Object.entries(serverSettings ?? {});
    const libraries = librariesIn(serverSettings?.['shared_preload_libraries'] ?? '');
    const monetary = serverSettings?.['lc_monetary'] ?? '';
    const lines = settings
        .filter(([name]) => name.includes('.') || readingValues.has(name))
        .map(([name, value]) => `${name} = ${quoted(value)}`);
    // A job that ran in the copy would do its work twice: mail, payments, whatever it reaches.
    if (!libraries.every((library) => withoutWorkers.has(library)))
        lines.push('max_worker_processes = 0');
    return {
        // initdb does not take every name that ALTER ROLE … RENAME gives.
        bootstrapRole: isForInitdb(bootstrapRole ?? '') ? (bootstrapRole ?? '') : '',
        monetary: /^(C|POSIX)$/.test(monetary) ? '' : monetary,
        libraries,
        configuration: lines.join('\n'),
    };
}
const isForInitdb = (role) => !/['"\\$]/.test(role) && role !== 'none' && !role.startsWith('pg_');
/** A list as PostgreSQL reads it: names between commas, in double quotes or not. Names that no library has are left out. */
function librariesIn(list) {
    const names = [...list.matchAll(/"((?:[^"]|"")*)"|[^",\s]+/g)].map(([word, inner]) => inner ?? word);
    return [...new Set(names.filter((name) => /^[\w.$/-]+$/.test(name)))];
}
function quoted(value) {
    return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
}

;// CONCATENATED MODULE: ./build/shared/drill/unfit.js




// When the scratch server is at fault, and not the backup.
/** Output that shows that the scratch server is at fault and not the backup, and what to do about it. */
const unfit = [
    [/No space left on device/, "Docker's disk is full", 'Make room: docker system df on the host, then drill it again'],
    [
        /Cannot fork|Resource temporarily unavailable/i,
        'The scratch container could not start another process (its limit is 200)',
        'Check what the functions of the backup start, then drill it again',
    ],
    [
        /out of memory|Cannot allocate memory|terminated by signal 9|server closed the connection|terminated abnormally|could not fork|exit 137/i,
        'The scratch server was killed or ran out of memory',
        'Raise "drill-memory" to MEMORY, then drill it again',
    ],
    [
        /extension .* is not available|could not (access file|open extension control file|load library|find function ".*" in file)|security label provider ".*" is not loaded|shared_preload_libraries|must be (pre)?loaded/,
        'The image lacks an extension or library that the source had',
        "Give the database's service the image of the source, then drill it again",
    ],
    [
        /could not create locale|collation "pg_catalog\..*" for encoding ".*" does not exist/,
        'The image lacks a locale of the source',
        "Give the database's service an image that has it, then drill it again",
    ],
    // Of a materialized view, a restore asks anew what it was made from.
    [
        /could not connect to server ("|…)|could not establish connection/,
        'A restore of this backup asks another server, for a materialized view over a foreign table perhaps, and the scratch container has no network',
        'If such a view is empty in a backup (REFRESH MATERIALIZED VIEW … WITH NO DATA on the source), a drill can restore it. Else restore the backup by hand, where that server can be reached',
    ],
    [
        /could not open (file (".*"|…) for reading|[a-z-]+ file (".*"|…)): (No such file|Permission denied)/,
        'The image lacks a file that the source reads, such as a dictionary or the file of a foreign table',
        'Put it into the image, as the scratch container has no volumes, then drill it again',
    ],
];
/**
 * If the file matches its manifest but the scratch server failed, nothing is proven about the backup.
 * @throws Failure `drill-unfit`
 */
function refuseUnfit({ fault, sha256 }, words, request, limits) {
    const { set, image, memory, largestValue } = request;
    const { ranOut, lacks, hasMoney } = limits;
    const locale = set.manifest.serverSettings?.['lc_monetary'];
    const unfitFor = (what, hint) => new shared_failure/* Failure */.HR('drill-unfit', `${what}, so the drill proved nothing about the backup`, {
        hint: `${hint}. The image was ${image}`,
        cause: words,
    });
    const lacksLocale = unfitFor(`The image lacks the locale ${locale} (lc_monetary), without which columns of type money restore wrongly`, "Give the database's service an image that has it, then drill it again");
    if (fault === null) {
        if (lacks.includes('lc_monetary') && hasMoney)
            throw lacksLocale;
        return;
    }
    if (sha256 !== set.manifest.sha256)
        return;
    if (ranOut !== null)
        throw ranOut;
    if (lacks.includes('lc_monetary') && /type money/.test(words))
        throw lacksLocale;
    const libraries = lacks.flatMap((each) => /^library (.*)$/.exec(each)?.[1] ?? []);
    if (libraries.length > 0) {
        throw unfitFor(`The image lacks ${libraries.join(', ')}, which the source loads at its start (shared_preload_libraries), and without which the dump does not restore`, "Give the database's service the image of the source, then drill it again");
    }
    if (scratchServer(set.manifest).libraries.some((library) => /^(\$libdir\/)?timescaledb/.test(library))) {
        throw unfitFor('TimescaleDB needs more than pg_restore for a restore, and a drill does not do that', 'Restore it by hand, as its documentation says');
    }
    const found = unfit.find(([said]) => said.test(`${fault.why}\n${words}`));
    if (found !== undefined)
        throw unfitFor(found[1], found[2].replace('MEMORY', enoughMemory(largestValue, memory)));
}
/** The failure if the kernel has killed something in the container because memory ran out; else null. */
function memoryRanOut(records, { memory, largestValue }) {
    if (!/^[1-9]/m.test(records.find('kills') ?? ''))
        return null;
    return new shared_failure/* Failure */.HR('drill-unfit', `Memory ran out in the scratch container, which may use ${(0,units/* formatBytes */.z3)(memory)}, so the drill proved nothing about the backup`, { hint: `Set "drill-memory" to ${enoughMemory(largestValue, memory)}, then drill it again` });
}
/** What of the source's server the image lacks. */
const lacksIn = (records) => records
    .get('found')
    .split('\n')
    .flatMap((line) => /^lacks (.*)$/.exec(line)?.[1] ?? []);

;// CONCATENATED MODULE: ./build/shared/drill/drill.js














const program = {
    name: 'drill',
    step: 'the drill',
    scripts: [
        new URL(/* asset import */ __webpack_require__(79329), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(5216), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(26572), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(18756), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(21706), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(2220), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(20520), __webpack_require__.b),
    ],
};
/** Restores a set into a scratch container and inspects the result. The container is removed afterwards. */
async function drill(connection, request) {
    const { backupDir, set, timeout, statements } = request;
    const { manifest } = set;
    const log = (0,printed_errors/* wordsFile */.mm)(backupDir, `drill-${request.token}`);
    const folder = `${backupDir}/${(0,sets_catalogue/* pathOf */.XM)(set)}`;
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const sides = (0,read_sets/* sidesOf */.Mm)(set);
    const { sent } = request;
    const beside = (side) => {
        if (sent !== null)
            return sent.beside(side);
        return sides.includes(side) ? `${folder}/${names[side]}` : '';
    };
    const incoming = sent === null ? '' : (0,pour/* incomingFolder */.zt)();
    const server = scratchServer(manifest);
    const run = connection.run(program, {
        name: containerOf(request.token),
        image: request.image,
        memory: String(request.memory),
        lifetime: String(Math.ceil(timeout / 1_000)),
        needed: String(request.neededBytes),
        least: String(request.leastBytes),
        dump: sent?.name ?? `${folder}/${names.dump}`,
        dump_bytes: String(manifest.sizeBytes),
        most_jobs: String(buildersIn(request.memory)),
        incoming,
        globals: beside('globals'),
        settings: beside('settings'),
        schema: beside('schema'),
        schema_sha256: manifest.schemaSha256 ?? '',
        bootstrap_role: server.bootstrapRole,
        monetary: server.monetary,
        configuration: server.configuration,
        format: manifest.format,
        compression: manifest.compression,
        database: manifest.database,
        database_argument: (0,restore_command/* databaseArgument */.Bh)(manifest.database),
        timezone: request.timezone,
        words_log: log,
        inside_script: (0,scripts/* drillScript */.pK)(),
        ...(0,scripts/* factsScripts */.Mr)(),
        chosen: chosenTables(request.tables),
        createdb_options: (0,restore_command/* createOptions */.Dp)(manifest),
        libraries: server.libraries,
        statements,
    }, {
        deadline: timeout,
        atEnd: 'end',
        signal: request.signal,
        ...(sent === null ? {} : { input: { folder: incoming, open: () => sent.open() } }),
        onLog: request.onLog,
        onProgress: request.onProgress,
    });
    try {
        const records = await run.result.catch((error) => {
            if (sent === null || !(0,shared_failure/* isFailure */.N6)(error, 'ciphertext-damaged'))
                throw error;
            return error;
        });
        if ((0,shared_failure/* isFailure */.N6)(records))
            return undecrypted(records, await sent?.sha256());
        const ranOut = memoryRanOut(records, request);
        const outcome = readOutcome(records, run.lastLines(), log, ranOut);
        if (sent !== null)
            outcome.sha256 = await sent.sha256();
        refuseUnfit(outcome, run.lastLines().slice(-30).join('\n'), request, {
            ranOut,
            lacks: lacksIn(records),
            hasMoney: records.find('money')?.trim() !== 'f\n\nexit 0',
        });
        return outcome;
    }
    catch (error) {
        throw (0,shared_failure/* isFailure */.N6)(error) ? explain(error, request) : error;
    }
    finally {
        sent?.close();
    }
}
/** What age has not written cannot be tried on a server. */
function undecrypted({ message }, sha256 = null) {
    const fault = { why: 'it cannot be decrypted', words: message, refusal: null };
    return { fault, sha256, restoreMs: 0, restored: null };
}
const faults = {
    41: 'it does not restore',
    42: 'it cannot be decompressed completely',
    43: 'its end is missing: it does not end the way pg_dump ends a dump',
};
function readOutcome(records, lines, log, ranOut) {
    const status = records.integer('restored');
    const why = faults[status] ?? `the restore was cut short (exit ${status})`;
    return {
        fault: status === 0 ? null : { why, words: describeFault(lines, log), refusal: (0,printed_errors/* firstRefusal */.Jz)(lines) },
        sha256: /^[0-9a-f]{64}$/.exec(records.get('sha256'))?.[0] ?? null,
        restoreMs: records.integer('restore-ms'),
        restored: status === 0 ? restoredOr(ranOut, records) : null,
    };
}
/** The error first, then in which table. */
function describeFault(lines, log) {
    const error = (0,printed_errors/* firstError */.bv)(lines);
    if (error === null)
        return lines.slice(-4).join(' ').trim();
    const table = (0,printed_errors/* failedTable */.CI)(lines);
    const where = table === null ? '' : ` (in the rows of ${table})`;
    return `${(0,printed_errors/* describeError */.Uc)(error, log)}${where}. All that PostgreSQL said is in ${log} on the host`;
}
/** What is incomplete because memory ran out is not called anything else. */
function restoredOr(ranOut, records) {
    try {
        return readRestored(records);
    }
    catch (error) {
        throw ranOut ?? error;
    }
}

// EXTERNAL MODULE: ./build/shared/drill/finding.js + 1 modules
var finding = __webpack_require__(93754);
// EXTERNAL MODULE: ./build/shared/drill/needed.js
var drill_needed = __webpack_require__(18901);
// EXTERNAL MODULE: ./build/shared/history/observation.js
var observation = __webpack_require__(27745);
// EXTERNAL MODULE: ./build/shared/host/backup-folder.js
var backup_folder = __webpack_require__(53542);
// EXTERNAL MODULE: ./build/shared/host/lock-holder.js
var lock_holder = __webpack_require__(39135);
// EXTERNAL MODULE: external "node:stream/consumers"
var consumers_ = __webpack_require__(38321);
// EXTERNAL MODULE: external "node:zlib"
var external_node_zlib_ = __webpack_require__(38522);
// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(57075);
// EXTERNAL MODULE: ./build/shared/sets/age-identities.js + 1 modules
var age_identities = __webpack_require__(61823);
// EXTERNAL MODULE: ./build/shared/sets/age-stream.js
var age_stream = __webpack_require__(16652);
;// CONCATENATED MODULE: ./build/shared/sets/decrypt.js





// Decrypts what `age` has encrypted, on the runner. The header, where the keys are, is for age's own library.
/** Bytes. Each recipient needs about 150; who sends more of them than that wants to fill our memory. */
const longestHeader = 64 * 1024;
/**
 * Turns ciphertext into what was encrypted. Every piece that it gives out is authentic, but only the end of the stream says that
 * all of it is there: do not rely on anything before that.
 *
 * Fails with a Failure `decrypt-key-wrong` if it was encrypted to other keys, before it gives out anything; `ciphertext-damaged` if
 * it is not what `age` wrote, or its end is missing.
 *
 * @param identity private keys, as `identitiesIn` takes them
 */
function decryptStream(identity) {
    return new Decryption((0,age_identities/* identitiesIn */.A)(identity));
}
class Decryption extends external_node_stream_.Transform {
    #identities;
    /** What has come and is not used yet. */
    #waiting = [];
    #bytes = 0;
    /** null until the header was read. */
    #key = null;
    #count = 0;
    constructor(identities) {
        super();
        this.#identities = identities;
    }
    _transform(chunk, _, done) {
        this.#waiting.push(chunk);
        this.#bytes += chunk.length;
        this.#advance().then(() => done(), done);
    }
    _flush(done) {
        this.#finish().then(() => done(), done);
    }
    async #advance() {
        if (this.#key === null)
            await this.#begin();
        // The last piece is sealed differently, and only the end of the stream tells which one it is.
        while (this.#key !== null && this.#bytes > age_stream/* sealedPieceBytes */.o7)
            this.push(this.#open(this.#take(age_stream/* sealedPieceBytes */.o7), false));
    }
    async #finish() {
        if (this.#key === null)
            throw damaged('it ends within its header');
        const last = this.#open(this.#take(this.#bytes), true);
        if (last.length === 0 && this.#count > 1)
            throw damaged('its last piece is empty');
        this.push(last);
    }
    async #begin() {
        const start = Buffer.concat(this.#waiting);
        this.#waiting = [start];
        const last = start.indexOf('\n--- ');
        const end = last === -1 ? -1 : start.indexOf('\n', last + 1);
        if (end === -1 || start.length < end + 1 + age_stream/* nonceBytes */.zO) {
            if (!start.toString('latin1', 0, 22).startsWith('age-encryption.org/v1\n'.slice(0, start.length)))
                throw damaged('it does not begin as a file of age does');
            if (start.length > longestHeader + age_stream/* nonceBytes */.zO)
                throw damaged('its header has no end');
            return;
        }
        const fileKey = await unwrap(this.#take(end + 1), this.#identities);
        this.#key = (0,age_stream/* streamKey */.Yd)(fileKey, this.#take(age_stream/* nonceBytes */.zO));
    }
    /** The next bytes of what waits. */
    #take(bytes) {
        const all = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting);
        this.#waiting = [all.subarray(bytes)];
        this.#bytes -= bytes;
        return all.subarray(0, bytes);
    }
    #open(sealed, isLast) {
        const nonce = (0,age_stream/* pieceNonce */.ii)(this.#count, isLast);
        this.#count += 1;
        if (sealed.length < age_stream/* tagBytes */.i3)
            throw damaged(`its end is missing`);
        const decipher = (0,external_node_crypto_.createDecipheriv)(age_stream/* pieceCipher */.Wn, this.#key, nonce, { authTagLength: age_stream/* tagBytes */.i3 });
        decipher.setAuthTag(sealed.subarray(-age_stream/* tagBytes */.i3));
        const content = decipher.update(sealed.subarray(0, -age_stream/* tagBytes */.i3));
        try {
            decipher.final();
        }
        catch {
            throw damaged(isLast ? 'its end is missing or altered' : `it is altered at about byte ${this.#count * age_stream/* sealedPieceBytes */.o7}`);
        }
        return content;
    }
}
async function unwrap(header, identities) {
    const { Decrypter } = await __webpack_require__.e(/* import() */ 389).then(__webpack_require__.bind(__webpack_require__, 43389));
    const decrypter = new Decrypter();
    for (const identity of identities)
        decrypter.addIdentity(identity);
    try {
        return await decrypter.decryptHeader(header);
    }
    catch (error) {
        if (error instanceof Error && error.message.startsWith('no identity matched')) {
            throw new shared_failure/* Failure */.HR('decrypt-key-wrong', 'The private key does not belong to any recipient of this backup', {
                hint: 'Give the private key (AGE-SECRET-KEY-1…, or an SSH key) of one of the recipients that "encrypt-to" named when the backup was taken',
            });
        }
        throw damaged('its header is altered', error);
    }
}
function damaged(why, cause) {
    return new shared_failure/* Failure */.HR('ciphertext-damaged', `The encrypted file cannot be decrypted: ${why}`, {
        hint: 'Compare its checksum: sha256sum --check. If it differs, use another copy of this backup, or another backup',
        cause,
    });
}

;// CONCATENATED MODULE: ./build/shared/drill/sent-dump.js



/**
 * A dump that the runner sends into the container: from a bucket, or from the host if it is encrypted there. It is hashed as it is
 * stored, and decrypted, as it flows; none of it is kept.
 */
class SentDump {
    /** Of the dump, for people: its URI, or its path on the host. */
    name;
    #stored;
    #sides;
    #key;
    #hash = (0,external_node_crypto_.createHash)('sha256');
    #source = null;
    #pieces = null;
    #isWhole = false;
    /**
     * @param stored opens the dump as it is stored
     * @param sides the files beside it, compressed and not encrypted
     * @param key private keys, as `decryptStream` takes them; null if it is not encrypted
     */
    constructor(name, stored, sides, key) {
        this.name = name;
        this.#stored = stored;
        this.#sides = sides;
        this.#key = key;
    }
    /** Base64 of a file beside the dump, as drill.sh takes it; empty if the backup has none. */
    beside(side) {
        return this.#sides.get(side)?.toString('base64') ?? '';
    }
    /** The dump as pg_restore takes it, once decompressed. Call it once. */
    async open() {
        this.#source = await this.#stored();
        this.#pieces = this.#source.iterator({ destroyOnReturn: false });
        const hashed = external_node_stream_.Readable.from(this.#hashed(), { objectMode: false });
        if (this.#key === null)
            return hashed;
        const decrypted = decryptStream(this.#key);
        hashed.once('error', (error) => decrypted.destroy(error));
        decrypted.once('error', () => hashed.unpipe(decrypted));
        return hashed.pipe(decrypted);
    }
    /** Of all of it as it is stored, read to its end if that has not happened yet; null if it could not be. */
    async sha256() {
        try {
            for await (const _ of this.#hashed())
                ;
        }
        catch {
            return null;
        }
        return this.#isWhole ? this.#hash.copy().digest('hex') : null;
    }
    /** Gives up what was not read: the connection that it comes over is not held any longer. */
    close() {
        this.#source?.on('error', () => { }).destroy();
    }
    /** Once it has failed there is nothing more to read; an iterator would say that it has come to its end. */
    async #next(pieces) {
        try {
            return await pieces.next();
        }
        catch (error) {
            this.#pieces = null;
            throw error;
        }
    }
    async *#hashed() {
        while (this.#pieces !== null && !this.#isWhole) {
            const { done, value } = await this.#next(this.#pieces);
            if (done === true)
                this.#isWhole = true;
            else {
                this.#hash.update(value);
                yield value;
            }
        }
    }
}

// EXTERNAL MODULE: ./build/shared/offsite/folder-id.js
var folder_id = __webpack_require__(6675);
// EXTERNAL MODULE: ./build/shared/offsite/s3-store.js + 4 modules
var s3_store = __webpack_require__(46156);
// EXTERNAL MODULE: ./build/shared/offsite/stored-sets.js + 1 modules
var stored_sets = __webpack_require__(63489);
// EXTERNAL MODULE: ./build/shared/passing-memory.js
var passing_memory = __webpack_require__(76387);
;// CONCATENATED MODULE: ./build/shared/host/incoming-files.js


/** Bytes of a file that wait for their reader; then the host waits as well. */
const mostWaiting = 1024 * 1024;
/** The files in a program's answer, in the order in which the host sends them. As much is taken from the host as is read here. */
class IncomingFiles {
    #waiting = [];
    #current = null;
    #isOver = false;
    #error = null;
    #wake = () => { };
    #drained = () => { };
    /** True while nothing more may be taken from the host; `onDrain` is called when that changes. */
    get isFull() {
        return this.#waiting.length > 1 || this.#current?.writableNeedDrain === true;
    }
    set onDrain(call) {
        this.#drained = call;
    }
    begin(name, bytes) {
        const content = new external_node_stream_.PassThrough({ highWaterMark: mostWaiting });
        // Whoever reads it hears of its errors; a file that nobody reads must not end the process.
        content.on('error', () => { });
        for (const event of ['drain', 'close'])
            content.on(event, () => this.#tellDrained());
        this.#current = content;
        // What nobody reads any more must not hold the host up.
        if (this.#isOver)
            content.destroy();
        else
            this.#waiting.push({ name, bytes, content });
        this.#wake();
    }
    add(piece) {
        (0,passing_memory/* tellPassed */.M)(piece.length);
        if (this.#current?.destroyed === false)
            this.#current.write(piece);
    }
    end() {
        this.#current?.end();
        this.#current = null;
    }
    /** No more will come: because of the error, if there is one. What is half here fails with it. */
    close(error) {
        this.#isOver = true;
        this.#error ??= error;
        if (error !== null)
            for (const { content } of this.#waiting.splice(0))
                content.destroy(error);
        this.#current?.destroy(error ?? new Error('The host sent only part of a file'));
        this.#current = null;
        this.#wake();
        this.#tellDrained();
    }
    async *[Symbol.asyncIterator]() {
        for (;;) {
            const next = this.#waiting.shift();
            if (next !== undefined) {
                this.#tellDrained();
                yield next;
            }
            else if (this.#isOver) {
                if (this.#error !== null)
                    throw this.#error;
                return;
            }
            else {
                await new Promise((resolve) => {
                    this.#wake = resolve;
                });
            }
        }
    }
    #tellDrained() {
        if (!this.isFull)
            this.#drained();
    }
}

;// CONCATENATED MODULE: ./build/shared/sets/read-files.js


const read_files_program = {
    name: 'read-files',
    step: 'reading the files of a backup',
    scripts: [__webpack_require__.ab + "read-files.sh"],
};
/**
 * Streams files of a set from the host. Nothing is kept on the way: the host reads as fast as they are read here. Ends the program
 * when the caller stops early.
 * @throws Failure `set-gone`; as any program's
 */
async function* readFiles(connection, request) {
    const { backupDir, set, names, timeout, signal, onLog } = request;
    const files = new IncomingFiles();
    const parameters = { backup_dir: backupDir, folders: (0,sets_catalogue/* pathsOf */.wG)(set), names };
    const run = connection.run(read_files_program, parameters, { deadline: timeout, atEnd: 'end', signal, onLog, files });
    let isWhole = false;
    try {
        yield* files;
        await run.result;
        isWhole = true;
    }
    finally {
        if (!isWhole) {
            files.close(new Error('The rest is not wanted'));
            await run.release();
        }
    }
}

// EXTERNAL MODULE: ./build/shared/sets/read-manifest.js
var read_manifest = __webpack_require__(3450);
// EXTERNAL MODULE: ./build/shared/sets/sealed-manifest.js
var sealed_manifest = __webpack_require__(88166);
;// CONCATENATED MODULE: ./build/shared/packed.js

/** Packs a text that may be long for the way to or from the host: gzip in base64, for which every host has programs. */
function pack(text) {
    return gzipSync(text, { level: 1 }).toString('base64');
}
/**
 * Unpacks a text from the host, which may have sent anything.
 * @param longest limit for the text, in bytes
 * @returns null if it is not a packed text, or is longer
 */
function unpack(packed, longest) {
    try {
        return (0,external_node_zlib_.gunzipSync)(Buffer.from(packed, 'base64'), { maxOutputLength: longest }).toString('utf8');
    }
    catch {
        return null;
    }
}

// EXTERNAL MODULE: ./build/shared/survey/survey-sets.js
var survey_sets = __webpack_require__(80847);
;// CONCATENATED MODULE: ./build/shared/sets/whole-manifest.js






const whole_manifest_program = {
    name: 'whole-manifest',
    step: 'reading a manifest',
    scripts: [new URL(/* asset import */ __webpack_require__(97094), __webpack_require__.b)],
};
/** One manifest with its lists of tables and sequences; a survey leaves them out. @throws Failure `manifest-unreadable` */
async function wholeManifest(connection, backupDir, set, { signal, onLog }) {
    const file = `${backupDir}/${(0,sets_catalogue/* pathOf */.XM)(set)}/${(0,read_sets/* namesOf */.eZ)(set).manifest}`;
    const { result } = connection.run(whole_manifest_program, { file, longest: String(read_manifest/* longestManifest */.Ev) }, {
        deadline: 120_000,
        atEnd: 'end',
        signal,
        onLog,
    });
    try {
        return (0,read_manifest/* readManifest */.WI)(unpack((await result).get('manifest'), read_manifest/* longestManifest */.Ev) ?? '');
    }
    catch (error) {
        if (!(0,shared_failure/* isFailure */.N6)(error, 'bad-manifest', 'manifest-unreadable'))
            throw error;
        throw new shared_failure/* Failure */.HR('manifest-unreadable', `The manifest of ${set.id} cannot be read in full: ${error.message}`, {
            hint: `Do not rely on ${set.id}. Take a backup now, and look at ${file} on the host`,
            cause: error,
        });
    }
}
/**
 * Refuses to publish a manifest that later runs could not read: its set would lie there and never count.
 * @param text the manifest as it will be written
 * @throws Failure `manifest-unreadable`
 */
function demandReadable(text) {
    const refuse = (why, cause) => new Failure('manifest-unreadable', `The manifest of this backup could not be read back: it ${why}`, {
        hint: 'Nothing was published; earlier backups are unchanged. Report this: the database or the project is larger than the action supports',
        cause,
    });
    try {
        readManifest(text);
    }
    catch (error) {
        throw isFailure(error) ? refuse(error.message, error) : error;
    }
    const before = Buffer.byteLength(text.slice(0, text.indexOf('\n  "tables": ')));
    if (before > longestHead)
        throw refuse(`has ${before} bytes before its tables and sequences`);
    const behind = Buffer.byteLength(text.slice(text.indexOf('\n  "largeObjects": ')));
    if (behind > longestTail)
        throw refuse(`has ${behind} bytes besides its tables and sequences`);
}

;// CONCATENATED MODULE: ./build/shared/restore/backup-source.js















/** Compressed bytes of one file beside the dump; the schema of 30,000 tables has some 4 MiB. */
const longestSide = 32 * 1024 * 1024;
/** Bytes of it, decompressed. */
const longestText = 8 * longestSide;
/** Bytes of the list of checksums. */
const longestList = 64 * 1024;
/** Milliseconds. A restore that builds a large index takes nothing from the store meanwhile. */
const longestPause = 30 * 60_000;
/**
 * Finds the backup that is wanted.
 * @throws Failure `no-backup`
 */
async function sourceOf(connection, catalogue, request) {
    const { from, bucket, signal } = request;
    if (from === 'host' || bucket === null)
        return onHost(connection, catalogue, chosen(request, catalogue.sets));
    const store = await (0,s3_store/* openS3Store */.e)(bucket, signal, { silence: longestPause });
    try {
        return await inBucket(store, catalogue, request);
    }
    catch (error) {
        store.close();
        throw error;
    }
}
function chosen(request, sets) {
    const { wanted } = request;
    return { ...request, wanted: typeof wanted === 'string' ? wanted : wanted(sets) };
}
function onHost(connection, catalogue, request) {
    const { backupDir, timeout, signal, log } = request;
    const onLog = (line) => log.host(line);
    const set = chooseSet(request, catalogue);
    if (set === null)
        throw noBackup('verified backup', request, request.database, backupDir);
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const isSent = set.manifest.encryption === 'age';
    const opened = [];
    const read = async (name) => {
        const files = readFiles(connection, { backupDir, set, names: [name], timeout, signal, onLog });
        opened.push(files);
        const { value } = await files.next();
        return value.content;
    };
    const close = async () => {
        for (const files of opened.splice(0))
            await files.return(undefined).catch(() => { });
    };
    return {
        set,
        copy: null,
        isSent,
        manifest: () => wholeManifest(connection, backupDir, set, { signal, onLog }),
        sent: async () => (isSent ? sentDump(`${backupDir}/${(0,sets_catalogue/* pathOf */.XM)(set)}/${names.dump}`, set, read, request) : null),
        beside: async (side) => {
            const text = await besideDump(set, side, read, request);
            await close();
            return text;
        },
        close,
    };
}
/** The set on the host that is wanted; null if there is none. */
function chooseSet({ wanted, database }, { sets }) {
    if (wanted === 'latest')
        return database === null ? null : ((0,sets_catalogue/* verifiedSetsOf */.Ns)(database, sets)[0] ?? null);
    const named = sets.find((set) => set.state === 'verified' && set.id === wanted);
    return named?.state === 'verified' && (database === null || named.database === database) ? named : null;
}
async function inBucket(store, catalogue, open) {
    const { bucket, environment, log } = open;
    const prefix = bucket?.prefix ?? '';
    const { sets: all, parts } = await (0,stored_sets/* contentsOf */.K)(store, prefix, environment);
    const request = chosen(open, knownSets(catalogue, all));
    const { wanted } = request;
    const place = store.uri(`${prefix}/${environment}`);
    const isLatest = wanted === 'latest';
    const stored = isLatest ? all.filter((set) => (0,folder_id/* isOurs */.MU)(set.folderId, request.folderIds)) : all;
    const database = request.database ?? (isLatest ? onlyOne(stored.map((set) => set.database)) : null);
    const own = stored.filter((set) => (database === null && !isLatest) || set.database === database);
    const [newest] = own;
    const named = isLatest ? undefined : own.find(({ id }) => id === wanted);
    const found = isLatest ? own.find(({ isComplete }) => isComplete) : named;
    // It may be of another database: only its manifest would tell.
    const unread = parts.find(({ id, state }) => state === 'unread' && (isLatest ? id > (found?.id ?? '') : id === wanted));
    if (unread !== undefined && (!isLatest || found === undefined))
        throw unreadCopy(place, unread);
    if (found === undefined || !found.isComplete)
        throw noBackup('complete copy', request, database, place, (named ?? (isLatest ? newest : undefined))?.faults);
    if (isLatest && newest !== found)
        log.warning(`The newest copy, ${newest?.id}, is not complete: ${newest?.faults.join(', ')}. Taking ${found.id}`);
    if (unread !== undefined)
        log.warning(`A newer copy, ${unread.id}, is passed over: ${unread.why}. Taking ${found.id}`);
    const { id, manifest } = found;
    // The proof of a copy is no proof of another set with the same id.
    const here = catalogue.sets.find((set) => set.state === 'verified' && set.id === id && set.manifest.sha256 === (0,sealed_manifest/* unsealManifest */.U)(manifest).sha256);
    const set = { state: 'verified', id, database: found.database, manifest, folders: here?.folders ?? [] };
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const read = (name) => readObject(store, found, name);
    const copy = store.uri(keyOf(found, names.dump));
    return {
        set,
        copy,
        isSent: true,
        manifest: async () => {
            const text = await bufferOf(await read(names.manifest), names.manifest, read_manifest/* longestManifest */.Ev);
            try {
                return (0,read_manifest/* readManifest */.WI)(text.toString('utf8'));
            }
            catch (error) {
                if (!(0,shared_failure/* isFailure */.N6)(error, 'bad-manifest'))
                    throw error;
                throw new shared_failure/* Failure */.HR('manifest-unreadable', `${store.uri(keyOf(found, names.manifest))} ${error.message}`, {
                    hint: 'Do not rely on this copy: take another one, or the one on the host',
                    cause: error,
                });
            }
        },
        sent: () => sentDump(copy, set, read, request),
        beside: (side) => besideDump(set, side, read, request),
        close: async () => store.close(),
    };
}
/**
 * What the host knows counts as well: one that never came into the bucket must not make an older one look like the one that is
 * wanted.
 */
function knownSets({ sets }, stored) {
    const here = new Set(sets.map(({ id }) => id));
    const others = stored
        .filter(({ id }) => !here.has(id))
        .map(({ id, database, manifest }) => ({ state: 'verified', id, database, manifest, folders: [] }));
    return [...sets, ...others].toSorted((a, b) => (0,sets_catalogue/* newestFirst */.ll)(a.id, b.id));
}
/** The one that all are; null if there is none, or another. */
function onlyOne(databases) {
    const [first = null, ...others] = new Set(databases);
    return others.length === 0 ? first : null;
}
function noBackup(kind, { wanted, input }, database, place, faults = []) {
    const which = wanted === 'latest' ? kind : `${kind} ${wanted}`;
    const unknown = wanted === 'latest' ? ' of any database, or not of one alone' : '';
    const what = database === null ? unknown : ` of "${database}"`;
    const why = faults.length === 0 ? '' : `: ${faults.join(', ')}`;
    return new shared_failure/* Failure */.HR('no-backup', `No ${which}${what} found in ${place}${why}`, {
        hint: `Run backup-action, or set "${input}" to another backup${database === null && wanted === 'latest' ? ', or "db-name"' : ''}`,
    });
}
function unreadCopy(place, { id, why }) {
    return new shared_failure/* Failure */.HR('manifest-unreadable', `${place}/${id}: ${why}`, {
        hint: 'Bring it back in the store first (aws s3api restore-object, if it is archived), or name another backup',
    });
}
const keyOf = ({ files }, name) => files.find((file) => file.name === name)?.key ?? name;
async function readObject(store, set, name) {
    const key = keyOf(set, name);
    const stored = await store.read(key);
    if (stored !== null)
        return stored.content;
    throw new shared_failure/* Failure */.HR('set-gone', `${store.uri(key)} no longer exists`, { hint: 'Take the newest copy' });
}
/** What is encrypted is decrypted here. @throws Failure `decrypt-key-missing` */
async function sentDump(name, set, read, request) {
    const key = keyFor(set, request);
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const sides = new Map();
    for (const side of (0,read_sets/* sidesOf */.Mm)(set))
        sides.set(side, await readSide(set, side, read, key));
    return new SentDump(name, () => read(names.dump), sides, key);
}
async function besideDump(set, side, read, request) {
    if (!(0,read_sets/* sidesOf */.Mm)(set).includes(side))
        return null;
    const packed = await readSide(set, side, read, keyFor(set, request));
    try {
        return (0,external_node_zlib_.gunzipSync)(packed, { maxOutputLength: longestText }).toString('utf8');
    }
    catch {
        throw new shared_failure/* Failure */.HR('checksum-failed', `${(0,read_sets/* namesOf */.eZ)(set)[side]} of ${set.id} cannot be decompressed`, {
            hint: 'Nothing was restored. Take another backup',
        });
    }
}
/** @throws Failure `decrypt-key-missing` */
function keyFor(set, { decryptKey }) {
    if (set.manifest.encryption !== 'age')
        return null;
    if (decryptKey !== null)
        return decryptKey;
    throw new shared_failure/* Failure */.HR('decrypt-key-missing', `${set.id} is encrypted, and can be restored only with a private key`, {
        hint: 'Give "decrypt-key", as a secret: it stays on this runner. Nothing was restored',
    });
}
/**
 * A file beside the dump, compressed. The dump is compared at its end; this is used before that.
 * @throws Failure `copy-differs` if it is not the one in the list of checksums
 */
async function readSide(set, side, read, key) {
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const name = names[side];
    const list = await bufferOf(await read(names.sha256), names.sha256, longestList);
    const stored = await bufferOf(await read(name), name, longestSide);
    if ((0,external_node_crypto_.createHash)('sha256').update(stored).digest('hex') !== (0,read_sets/* listedSums */.KY)(list.toString('utf8')).get(name)) {
        throw new shared_failure/* Failure */.HR('copy-differs', `${name} of ${set.id} does not match ${names.sha256}`, {
            hint: 'Nothing was restored. Do not rely on this copy of the backup: take another one, and find out what changed the file',
        });
    }
    return name.endsWith('.age') ? decrypted(stored, key ?? '') : stored;
}
async function bufferOf(content, name, most) {
    const pieces = [];
    let length = 0;
    for await (const piece of content) {
        length += piece.length;
        if (length > most)
            throw new shared_failure/* Failure */.HR('result-too-large', `${name} is too large: more than ${most} bytes`);
        pieces.push(piece);
    }
    return Buffer.concat(pieces);
}
async function decrypted(stored, key) {
    const stream = decryptStream(key);
    stream.end(stored);
    return (0,consumers_.buffer)(stream);
}

// EXTERNAL MODULE: ./build/shared/runner/log.js
var log = __webpack_require__(33437);
// EXTERNAL MODULE: ./build/shared/sets/last-good.js
var last_good = __webpack_require__(76902);
// EXTERNAL MODULE: ./build/shared/history/host-file.js + 1 modules
var host_file = __webpack_require__(47899);
;// CONCATENATED MODULE: ./build/shared/sets/proof.js





const proof_program = {
    name: 'prove',
    step: 'the update of the proof',
    scripts: [new URL(/* asset import */ __webpack_require__(37812), __webpack_require__.b), new URL(/* asset import */ __webpack_require__(45055), __webpack_require__.b)],
};
/**
 * Adds a proof to a set, in every folder of the set, and to the history.
 * @throws Failure `lock-held`, `set-gone`, `proof-unwritable`, `history-unwritable`
 */
async function addProof(connection, set, proof, { backupDir, lock, records, onLog }) {
    const name = (0,read_sets/* namesOf */.eZ)(set).proof.replace(/\.proof\.jsonl$/, '');
    const parameters = {
        backup_dir: backupDir,
        name,
        line: JSON.stringify(proof),
        folders: (0,sets_catalogue/* pathsOf */.wG)(set),
        ...(0,host_file/* recordParameters */.O8)(records),
    };
    try {
        await connection.run(proof_program, parameters, { deadline: 60_000 + lock.wait, atEnd: 'finish', lock, onLog }).result;
    }
    catch (error) {
        if ((0,shared_failure/* isFailure */.N6)(error, 'lock-held'))
            throw (0,lock_holder/* lockHeld */.bh)(error.message, backupDir, lock.wait);
        throw error;
    }
}

// EXTERNAL MODULE: ./build/verify-action/add-record.js
var add_record = __webpack_require__(87938);
// EXTERNAL MODULE: ./build/verify-action/surveyed-host.js + 4 modules
var surveyed_host = __webpack_require__(71759);
// EXTERNAL MODULE: ./build/shared/postgres/relation-name.js
var relation_name = __webpack_require__(93718);
;// CONCATENATED MODULE: ./build/shared/postgres/table-facts.js


// What the facts about tables come to, in words for people.
/** Whether its content can be compared. Of an empty table there is none; a sample that holds no row of a table says nothing. */
function isHashed({ content, rows }) {
    return rows === 0 || (content !== null && content.rows > 0);
}
/** What of the content was hashed: `812 tables whole, 3 by a sample of 81,203 rows in all; 2 not hashed`. */
function hashedText(tables) {
    const hashed = tables.filter(isHashed);
    const whole = hashed.filter(({ content }) => content === null || content.oneIn === 1).length;
    const sampled = hashed.length - whole;
    const rows = hashed.reduce((sum, { content }) => sum + (content === null || content.oneIn === 1 ? 0 : content.rows), 0);
    const not = tables.length - hashed.length;
    const parts = [
        ...(whole > 0 ? [`${(0,units/* counted */.hS)(whole, 'table')} whole`] : []),
        ...(sampled > 0 ? [`${sampled} by a sample of ${(0,units/* counted */.hS)(rows, 'row')} in all`] : []),
    ];
    return [parts.join(', '), ...(not > 0 ? [`${not} not hashed`] : [])].filter((part) => part !== '').join('; ');
}
/** Tables whose rows pg_dump leaves out, as they belong to extensions or stand in a schema of PostgreSQL's own; empty ones lose nothing. */
function leftOut(tables) {
    return tables.filter(({ isDumped, rows }) => !isDumped && rows !== 0);
}
/** Why pg_dump leaves something out. @param extension that it belongs to; null or empty if it only stands where nobody else's things are */
const whyLeftOut = (extension) => extension === null || extension === ''
    ? "which stands in a schema of PostgreSQL's own"
    : `which belongs to the extension ${extension}`;
/** `1 row in public.q_mail, which belongs to the extension hstore`. */
function leftOutText(tables) {
    const told = leftOut(tables).map((table) => `${table.rows === null ? 'the rows' : (0,units/* counted */.hS)(table.rows, 'row')} in ${(0,relation_name/* relationName */.j)(table)}, ${whyLeftOut(table.extension)}`);
    return (0,units/* listed */.KE)(told, 5);
}

;// CONCATENATED MODULE: ./build/shared/drill/judge-extensions.js



/** The extensions that the image has in another version: their own tables may have other columns, and other rows of their own. */
function changedExtensions({ extensions }, restored) {
    const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
    return new Set(extensions.filter(({ name, version }) => present.get(name) !== version).map(({ name }) => name));
}
/**
 * Checks that each extension came back. What somebody has added to one by hand does not: that is told, and not condemned, as it
 * looks just like what an update of the extension has left behind.
 */
function judgeExtensions(manifest, restored, remedy) {
    const { extensions, members } = manifest;
    const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
    const missing = extensions.filter(({ name }) => !present.has(name)).map(({ name }) => name);
    if (missing.length > 0)
        return { detail: `${(0,finding/* some */.zN)(missing)} was not restored`, remedy };
    const changed = extensions.filter(({ name, version }) => present.get(name) !== version);
    const versions = changed.map(({ name, version }) => `${name} ${present.get(name)} instead of ${version}`);
    const seen = [
        changed.length === 0
            ? extensions.length === 0
                ? 'none'
                : (0,finding/* some */.zN)(extensions.map(({ name, version }) => `${name} ${version}`))
            : `all were restored; the image has different versions, whose own tables are not compared: ${(0,finding/* some */.zN)(versions)}`,
        ...(members === null ? ['what belongs to them was not compared: the backup is of an earlier version'] : []),
    ].join('; ');
    const lost = lostMembers(manifest, restored);
    return lost.length === 0 ? seen : notRestored(lost, changed, seen);
}
/** A kind of object as a command calls it. */
const typed = (object) => object.replace(/^composite type /, 'type ').replace(/^foreign-data wrapper /, 'foreign data wrapper ');
/**
 * What CREATE EXTENSION does not bring back, except what other checks tell of: tables with rows, and sequences. Of a table that is
 * lost itself, nothing else is told.
 */
function lostMembers(manifest, restored) {
    const { members, tables } = manifest;
    const versions = changedExtensions(manifest, restored);
    const present = new Map(restored.members.map(({ extension, objects }) => [extension, new Set(objects)]));
    const told = new Set(leftOut(tables).map((table) => `table ${(0,relation_name/* relationName */.j)(table)}`));
    return (members ?? []).flatMap(({ extension, objects }) => {
        const isLost = (object) => !present.get(extension)?.has(object);
        const places = objects.filter((object) => object.startsWith('table '));
        const place = (object) => madeOnTable.test(object)
            ? places.find((table) => object.endsWith(` on ${table.slice('table '.length)}`))
            : undefined;
        const defined = objects
            .filter((object) => isLost(object) && !versions.has(extension))
            .flatMap((object) => definitionOf.exec(object)?.[1] ?? [])
            .filter((object) => !isLost(object))
            .map((object) => ({ extension, object, lacks: 'definition' }));
        const lost = objects
            .filter((object) => isLost(object) && !told.has(object) && !object.startsWith('sequence ') && !definitionOf.test(object))
            .map((object) => ({ extension, object, on: place(object) }))
            .filter(({ on }) => on === undefined || !isLost(on))
            .map(({ on, object }) => {
            const lacks = on !== undefined ? 'table' : publicPrivilege.test(object) ? 'privilege' : 'member';
            return { extension, object, lacks };
        });
        return [...lost, ...defined];
    });
}
const definitionOf = /^definition of (.*): [0-9a-f]+$/s;
const publicPrivilege = /^privilege (\w+) for PUBLIC on schema (.*)$/s;
const madeOnTable = /^(column|index|constraint|trigger|rule) /;
function notRestored(lost, changed, seen) {
    const that = (...kinds) => lost.filter(({ lacks }) => kinds.includes(lacks));
    const [gone, defined, privileges] = [that('member', 'table'), that('definition'), that('privilege')];
    const named = gone.map(({ extension, object }) => `${object}, ${whyLeftOut(extension)}`);
    const details = [
        ...(named.length === 0 ? [] : [`not in the dump, and not in a restore: ${(0,finding/* some */.zN)(named)}`]),
        ...(defined.length === 0
            ? []
            : [
                `restored as CREATE EXTENSION defines it, and changed in the database: ${(0,finding/* some */.zN)(defined.map(({ extension, object }) => `${object} of the extension ${extension}`))}`,
            ]),
        ...(privileges.length === 0 ? [] : [`lost in a restore: ${(0,finding/* some */.zN)(privileges.map(({ object }) => object))}`]),
    ];
    const example = that('member')
        .filter(({ extension }) => extension !== '')
        .slice(0, 1)
        .map(({ extension, object }) => `ALTER EXTENSION ${(0,relation_name/* identifier */.C)(extension)} DROP ${typed(object)}`);
    const updates = changed
        .filter(({ name }) => gone.some(({ extension }) => extension === name))
        .map(({ name }) => `ALTER EXTENSION ${(0,relation_name/* identifier */.C)(name)} UPDATE`);
    const first = updates.length === 0
        ? ''
        : `The image has another version of the extension, which may not have them at all. First update the one in the database (${(0,finding/* some */.zN)(updates)}), and take a backup. `;
    const grants = privileges.flatMap(({ object }) => {
        const [, privilege, schema] = publicPrivilege.exec(object) ?? [];
        return privilege === undefined ? [] : [`GRANT ${privilege} ON SCHEMA ${schema} TO PUBLIC`];
    });
    const remedies = [
        ...(example.length === 0
            ? []
            : [
                `pg_dump leaves out what belongs to an extension, and CREATE EXTENSION does not create what was added by hand, or is left over from an earlier version. If you need it, remove it from the extension: ${example}`,
            ]),
        ...(grants.length === 0
            ? []
            : [
                `pg_dump leaves out what everybody may do in a schema that was once called public, as every new database grants that. After a restore: ${grants.join('; ')}`,
            ]),
        ...(gone.some(({ extension }) => extension === '')
            ? [
                'pg_dump leaves out whatever is in pg_catalog and information_schema. Create it in a schema of your own instead',
            ]
            : []),
        ...(that('table').length === 0
            ? []
            : [
                'pg_dump leaves out what somebody has created by hand on a table of an extension. Keep the statements that create it, and run them after a restore',
            ]),
        ...(defined.length === 0
            ? []
            : [
                'pg_dump leaves out what ALTER FUNCTION or CREATE OR REPLACE has changed of an extension, which an earlier version of it may also have left behind. Keep these statements, and run them after a restore; or call a function of your own that calls it',
            ]),
    ];
    return {
        detail: `${details.join('; ')}. The extensions: ${seen}`,
        // A command comes last.
        remedy: `${first}${remedies.toReversed().join('. ')}`,
        severity: 'warning',
    };
}

;// CONCATENATED MODULE: ./build/shared/drill/judge-left-out.js





/** Logs and the like of which their authors say that a dump need not have them. */
const ownLogs = new Set(['pg_cron job_run_details']);
/** Tells of rows that pg_dump leaves out because of where their table belongs, where a restore does not bring them. */
function judgeLeftOut(findings, manifest, restored) {
    const present = new Map(restored.tables.map((table) => [(0,relation_name/* relationName */.j)(table), table]));
    const changed = changedExtensions(manifest, restored);
    const lost = leftOut(manifest.tables).filter((table) => {
        const { rows, content } = present.get((0,relation_name/* relationName */.j)(table)) ?? {};
        return rows !== table.rows || (isHashed(table) && content?.hash !== table.content?.hash);
    });
    const others = manifest.tables.filter(({ unnamed, ...table }) => {
        const after = present.get((0,relation_name/* relationName */.j)(table))?.unnamed;
        return unnamed !== null && (after?.rows !== unnamed.rows || after.hash !== unnamed.hash);
    });
    if (others.length > 0) {
        findings.check('left out', () => otherThanNamed(others), 'warning');
    }
    if (lost.length === 0)
        return;
    const isKnown = ({ extension, name, rows }) => rows === null || changed.has(extension ?? '') || ownLogs.has(`${extension} ${name}`);
    findings.check('left out', () => ({
        detail: `not in the dump, and not in a restore: ${leftOutText(lost)}`,
        remedy: `pg_dump leaves out the rows of such tables. If you need them, take the table out: ${lost.slice(0, 1).map(takeOut)}. Or save them in another way, such as COPY`,
    }), lost.every(isKnown) ? 'warning' : 'error');
}
/** An extension names rows by a condition, and makes the others itself: that is its own choice, so it is told and not condemned. */
function otherThanNamed(tables) {
    const told = tables.map((table) => `${(0,relation_name/* relationName */.j)(table)} (${(0,units/* counted */.hS)(table.unnamed?.rows ?? 0, 'row')} that the extension ${table.extension} does not name)`);
    return {
        detail: `not in the dump, so a restore has other rows: ${(0,finding/* some */.zN)(told)}`,
        remedy: 'A restore has these rows as CREATE EXTENSION creates them. If you changed or added some, save them in another way, such as COPY',
    };
}
const takeOut = ({ extension, schema, name }) => {
    const table = `${(0,relation_name/* identifier */.C)(schema)}.${(0,relation_name/* identifier */.C)(name)}`;
    return extension === null
        ? `ALTER TABLE ${table} SET SCHEMA …`
        : `ALTER EXTENSION ${(0,relation_name/* identifier */.C)(extension)} DROP TABLE ${table}`;
};

;// CONCATENATED MODULE: ./build/shared/drill/judge-sequences.js



/** Checks that each sequence is where it was. */
function judgeSequences(wanted, found, remedy) {
    const values = new Map(found.map((sequence) => [(0,relation_name/* relationName */.j)(sequence), sequence.value]));
    const bad = wanted.filter((sequence) => !isWithin(sequence, values.get((0,relation_name/* relationName */.j)(sequence))));
    const [fault, known] = [bad.filter(({ isDumped }) => isDumped), bad.filter(({ isDumped }) => !isDumped)];
    const told = (sequences) => (0,finding/* some */.zN)(sequences.map((sequence) => `${(0,relation_name/* relationName */.j)(sequence)} is at ${values.get((0,relation_name/* relationName */.j)(sequence)) ?? 'nothing'}, not between ${sequence.before ?? 'nothing'} and ${sequence.after ?? 'nothing'}`));
    if (fault.length > 0) {
        const behind = fault.every((sequence) => isBehind(sequence, values.get((0,relation_name/* relationName */.j)(sequence))));
        return { detail: told(fault), remedy: behind ? `${setBack} ${remedy}` : remedy };
    }
    const [first] = known;
    if (first !== undefined) {
        return {
            detail: `${told(known)}: pg_dump leaves out sequences of the extension ${first.extension}`,
            remedy: `After a restore, set it: SELECT setval('${(0,relation_name/* relationName */.j)(first).replaceAll("'", "''")}', ${first.after ?? 1})`,
            severity: 'warning',
        };
    }
    if (wanted.length === 0)
        return 'none';
    const unbound = wanted.filter((sequence) => !isBound(sequence)).length;
    const where = `${(0,units/* counted */.hS)(wanted.length, 'sequence')}, each where it was when the dump was taken`;
    return unbound === 0 ? where : `${where}; ${unbound} of them started over or could have, so any value counts`;
}
/** The sequence was read before and after the dump, and moves only in the direction of its increment. */
function isWithin(sequence, value) {
    const { before, after } = sequence;
    if (value === undefined)
        return false;
    if (!isBound(sequence))
        return true;
    if (value === null)
        return before === null;
    if (after === null)
        return false;
    return ahead(value, after, sequence) <= 0n && (before === null || ahead(value, before, sequence) >= 0n);
}
/**
 * It moved while the dump was taken, and came back behind where it was before. One that was set back meanwhile and has since passed
 * its old value looks the same as one that a restore did not bring back: the values before and after do not tell.
 */
function isBehind(sequence, value) {
    const { before, after } = sequence;
    if (value === undefined || before === null || before === after)
        return false;
    return value === null || ahead(value, before, sequence) < 0n;
}
const setBack = 'If something set it back while the dump was taken (setval, ALTER SEQUENCE … RESTART, TRUNCATE … RESTART IDENTITY), the backup is as good as the others. Otherwise:';
/** False for one that starts over at its end, or was set back meanwhile: it may have had any value. */
function isBound(sequence) {
    const { before, after, cycles } = sequence;
    if (cycles)
        return false;
    return before === null || (after !== null && ahead(after, before, sequence) >= 0n);
}
/** How far `value` is ahead of `bound`, in the direction of the increment. */
function ahead(value, bound, { increment }) {
    return (BigInt(value) - BigInt(bound)) * (BigInt(increment) < 0n ? -1n : 1n);
}

;// CONCATENATED MODULE: ./build/shared/drill/judge-data.js







/** Compares restored data with what the manifest says was dumped. */
function judgeData(findings, manifest, restored, remedy) {
    findings.check('tables', () => judgeTables(manifest.tables, restored.tables, remedy));
    judgeRows(findings, manifest, restored, remedy);
    judgeContent(findings, manifest, restored);
    judgeLeftOut(findings, manifest, restored);
    findings.check('sequences', () => judgeSequences(manifest.sequences, restored.sequences, remedy));
    findings.check('large objects', () => restored.largeObjects === manifest.largeObjects
        ? `${restored.largeObjects}`
        : { detail: `${restored.largeObjects} instead of ${manifest.largeObjects}`, remedy });
    findings.check('extensions', () => judgeExtensions(manifest, restored, remedy));
}
/** Checks that every dumped table came back. */
function judgeTables(wanted, found, remedy) {
    const [known, present] = [new Set(wanted.map(relation_name/* relationName */.j)), new Set(found.map(relation_name/* relationName */.j))];
    const missing = dumped(wanted)
        .map(relation_name/* relationName */.j)
        .filter((name) => !present.has(name));
    // Another version of an extension may bring other tables.
    const added = found
        .filter(({ extension }) => extension === null)
        .map(relation_name/* relationName */.j)
        .filter((name) => !known.has(name));
    if (missing.length > 0)
        return { detail: `${(0,finding/* some */.zN)(missing)} was not restored`, remedy };
    if (added.length > 0)
        return { detail: `${(0,finding/* some */.zN)(added)} was restored but is not in the manifest`, remedy };
    // Not a fault, just as for a backup: the database may be new, or hold only functions.
    if (dumped(wanted).length === 0)
        return 'none: the database had no table when the dump was taken';
    return `${(0,units/* allOf */.bn)(dumped(wanted).length, 'table', ['was', 'were'])} restored`;
}
/** Compares the row counts. An estimated or missing count proves nothing. */
function judgeRows(findings, manifest, restored, remedy) {
    const wanted = comparable(manifest, restored);
    if (wanted.some(({ exact }) => !exact)) {
        findings.unable('rows', 'the backup has no exact counts to compare with', 'In backup-action, set row-counts: exact. If that is set, let "db-user" be a superuser or the owner of the tables');
        return;
    }
    findings.check('rows', () => {
        const trees = treesOf(wanted, restored.tables);
        const other = trees.filter(({ before, after }) => before.rows !== after?.rows);
        if (trees.length === 0)
            return 'none: there are no tables';
        if (other.length === 0)
            return `${(0,units/* counted */.hS)(trees.reduce((sum, { before }) => sum + before.rows, 0), 'row')} in total; the count of every table matches exactly`;
        const named = other.map(({ name, before, after }) => `${name} has ${after?.rows ?? 'none'} instead of ${before.rows}`);
        const isMadeAgain = other.every(({ tables, before, after }) => tables.every(({ extension }) => extension !== null) && (after?.rows ?? 0) > before.rows);
        return { detail: (0,finding/* some */.zN)(named), remedy: isMadeAgain ? madeAgain(other) : remedy };
    });
}
const madeAgain = (trees) => `CREATE EXTENSION puts rows of its own into ${namesOf(trees)}, and the database no longer has them; a new backup fails the same way. After a restore, delete them again`;
/**
 * Compares the hashes of the content. Where the number of rows differs already, that says enough. What was not hashed is a
 * warning: its rows were only counted. Of a partitioned table, all is hashed or nothing is: its rows may come back in any partition.
 */
function judgeContent(findings, manifest, restored) {
    const trees = treesOf(comparable(manifest, restored), restored.tables);
    const hashed = trees.filter(({ tables }) => isTreeHashed(tables));
    const unhashed = trees.filter((tree) => !hashed.includes(tree));
    const computed = unhashed.filter(({ before }) => before.generates);
    const other = hashed.filter(({ before, after }) => after?.rows === before.rows && after.hash !== before.hash);
    if (other.length === 0 && computed.length > 0) {
        findings.unable('content', `${namesOf(computed)} has generated columns, which a restore computes again, and was not hashed`, hashingRemedy);
        return;
    }
    findings.check('content', () => {
        const unfilled = emptyViewsText(restored);
        if (trees.length === 0)
            return `none: there are no tables${unfilled}`;
        if (other.length > 0)
            return otherValues(other);
        const equal = `hashed, with equal results: ${hashedText(hashed.flatMap(({ tables }) => tables))}`;
        if (unhashed.length === 0)
            return `${equal}${unfilled}`;
        return {
            detail: `only the rows were counted of ${namesOf(unhashed)}, as the backup has no hash of them${hashed.length === 0 ? '' : `; ${equal}`}${unfilled}`,
            remedy: hashingRemedy,
            severity: 'warning',
        };
    });
}
/** Views that were empty in the source as well are told, too: a backup does not say which these are. */
function emptyViewsText({ emptyViews }) {
    if (emptyViews.length === 0)
        return '';
    return `. A restore leaves materialized views empty if they were empty before, or read one that was: ${(0,finding/* some */.zN)(emptyViews.map(relation_name/* relationName */.j))}`;
}
/** Whether the content of a table, or of all partitions of one, can be compared; a partition of whose rows the sample has none, too. */
function isTreeHashed(tables) {
    return tables.some(({ content }) => (content?.rows ?? 0) > 0)
        ? tables.every(({ content, rows }) => rows === 0 || content !== null)
        : tables.every(isHashed);
}
const namesOf = (trees) => (0,finding/* some */.zN)(trees.map(({ name }) => name));
const hashingRemedy = 'Take a backup with this version of the action and with row-counts: exact. Tables that belong to another role than "db-user", or have an index on a function in SQL or PL/pgSQL, are not hashed, because that could run code that others wrote';
function otherValues(other) {
    const computed = other.filter(({ before }) => before.generates);
    return {
        detail: `the values in ${namesOf(other)} are not those of the database: the number of rows is the same, but not their hash`,
        remedy: computed.length > 0
            ? `A restore computes generated columns again, and those of ${namesOf(computed)} then come out differently; a new backup fails the same way. Let their expressions use only the row itself: a restore fills tables one after the other, and applies the settings of a database (ALTER DATABASE … SET) at the end`
            : 'A new backup may fail the same way. Restore this one into a database of its own (docs/restore.md) and compare these tables',
    };
}
/** The dumped tables whose rows must be the same. */
function comparable(manifest, restored) {
    const changed = changedExtensions(manifest, restored);
    return dumped(manifest.tables).filter(({ extension }) => extension === null || !changed.has(extension));
}
const dumped = (tables) => tables.filter(({ isDumped }) => isDumped);
function treesOf(wanted, found) {
    // By the manifest, which knows the partitions; only tables that are in it count.
    const treeOf = new Map(wanted.map((table) => [(0,relation_name/* relationName */.j)(table), (0,relation_name/* relationName */.j)(table.root ?? table)]));
    const sums = (tables) => {
        const of = new Map();
        for (const table of tables) {
            const tree = treeOf.get((0,relation_name/* relationName */.j)(table));
            if (tree === undefined)
                continue;
            const { rows, hash, generates } = of.get(tree) ?? { rows: 0, hash: 0n, generates: false };
            of.set(tree, {
                rows: rows + (table.rows ?? 0),
                hash: BigInt.asUintN(64, hash + BigInt(table.content?.hash ?? 0)),
                generates: generates || table.generates,
            });
        }
        return of;
    };
    const after = sums(found);
    const tables = Map.groupBy(wanted, (table) => (0,relation_name/* relationName */.j)(table.root ?? table));
    return [...sums(wanted)].map(([name, before]) => ({
        name,
        tables: tables.get(name) ?? [],
        before,
        after: after.get(name),
    }));
}

;// CONCATENATED MODULE: ./build/verify-action/drill/judge-indexes.js

/** Damage is a fault of the backup. What cannot be read for another reason proves nothing. */
function judgeIndexes(findings, { indexes }, remedy) {
    const { checked, faults, unread } = indexes;
    if (faults.length === 0 && unread.length > 0) {
        const image = 'Check that the image of the database has amcheck and all libraries of its extensions';
        findings.unable('indexes', `could not read all of them: ${(0,finding/* some */.zN)(unread)}`, image);
        return;
    }
    findings.check('indexes', () => {
        if (faults.length > 0)
            return { detail: (0,finding/* some */.zN)(faults), remedy };
        // The restore has rebuilt constraints and indexes, and fails if one cannot be built.
        if (checked === null)
            return 'all are valid; not read in full, because the image lacks amcheck';
        return `all are valid; amcheck read ${checked} of them`;
    });
}

;// CONCATENATED MODULE: ./build/shared/report/hide-secrets.js
/**
 * Texts of dumps without the secrets that a schema may hold, as far as they can be recognized: values that follow a name like that
 * of a password (options of user mappings and others, settings, defaults, arguments, JSON), tokens in headers, and connection
 * strings. A dump lists them in SQL that anybody may read who reads a report. More may be hidden than is secret.
 * The same value gets the same number in all of the texts, so that a change can still be seen.
 */
function hideSecrets(...texts) {
    const numbers = new Map();
    const hidden = (value) => {
        const number = numbers.get(value) ?? numbers.size + 1;
        numbers.set(value, number);
        return `(hidden ${number})`;
    };
    const hide = (text) => text
        .replace(connection, (_, before, value) => `${before}'${hidden(value)}'`)
        .replace(inHeader, (_, before, value) => `${before}${hidden(value)}`)
        .replace(namedWithin, (_, before, value) => `${before}${hidden(value)}`)
        .replace(named, (_, before, value) => `${before}'${hidden(value)}'`)
        .replace(inJson, (_, before, value) => `${before}"${hidden(value)}"`)
        .replace(inConnectionString, (_, before, value) => `${before}${hidden(value)}`)
        .replace(inUrl, (_, before, value, at) => `${before}${hidden(value)}${at}`);
    return texts.map(hide);
}
/** A literal as pg_dump writes it: quotes are doubled, and it may go on over lines. A text may have been cut off within. */
const literal = "E?'(?!\\(hidden \\d+\\)')((?:[^']|'')*)(?:'|$)";
/**
 * What options, settings, columns and keys of connection strings are called that hold a secret or lead to one. Bounded, so that
 * no text that was made for it keeps us busy.
 */
const secretName = '(?:[\\w.-]{0,60}(?:pass(?:word|wd|file|phrase|code)?|pwd|secret|token|credentials?|authorization|(?:ssl|private|access|api|account|auth|sa|service|signing|encryption|master|jwt|shared)[_-]?key|sas)[\\w.-]{0,60}|(?:[\\w.-]{0,60}[_.-])?pw)';
/** CREATE SUBSCRIPTION … CONNECTION '…' */
const connection = new RegExp(`(\\bCONNECTION\\s+)${literal}`, 'g');
/** What stands between a name and its value: an option's blank, a setting's TO, a column's type, the signs of an argument. */
const between = '(?:\\s*(?::=|=>|=|,)\\s*|\\s+TO\\s+|\\s+(?:[\\w().," ]{0,60}\\s)?DEFAULT\\s+|\\s+)';
const named = new RegExp(`(\\b${secretName}["']?${between})${literal}`, 'gi');
/** The same within a literal, where quotes are doubled. */
const namedWithin = new RegExp(`(\\b${secretName}["']{0,2}${between})''(?=[^\\s,;)'])([^']*)(?:''|$)`, 'gi');
const inJson = new RegExp(`(\\b${secretName}"\\s*:\\s*)"(?!\\(hidden \\d+\\)")((?:[^"\\\\]|\\\\.)*)(?:"|$)`, 'gi');
const inHeader = /(\b(?:bearer|basic)\s+)([\w.~+/=-]{8,4000})/gi;
/** `password=…` within a text, as functions give it to dblink; with blanks, it may also be a comparison of columns or calls. */
const noValue = '(?!>|=|(?:new|old|excluded)\\.|\\$|null\\b|[\\w.$"]{0,130}\\s*\\(|\'?\\(hidden)';
const inConnectionString = new RegExp(`(\\b${secretName}\\s*=\\s*)${noValue}('{1,2}[^']*'{1,2}|\\{[^}]*(?:\\}|$)|[^\\s'"&;,()]+)`, 'gi');
const inUrl = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@'"]{0,100}:)([^\s@'"]{1,300})(@)/gi;

;// CONCATENATED MODULE: ./build/verify-action/drill/judge-schema.js

/**
 * PostgreSQL prints some conditions in another way after a restore, so a schema that is not identical to the source's is compared
 * with that of a second restore, from the set's schema file.
 */
function judgeSchema(findings, { id, schemaSha256 }, { schema }) {
    const { sha256, ofFile, lines } = schema;
    if (sha256 === schemaSha256) {
        findings.check('schema', () => 'a new dump of it is identical');
    }
    else if (ofFile === null) {
        findings.unable('schema', 'the backup has no schema file to compare with', 'See the report of the backup');
    }
    else if ('trouble' in ofFile) {
        const detail = `cannot compare with the schema file of ${id}: ${ofFile.trouble}`;
        findings.unable('schema', detail, 'See the log. Take a backup now and drill it');
    }
    else {
        findings.check('schema', () => ofFile.sha256 === sha256
            ? 'a new dump of it is identical to one of its schema file, restored in the same way; PostgreSQL prints it differently than in the source'
            : {
                detail: `the dump and its schema file restore to different schemas: ${hideSecrets(...lines).join(' / ') || 'the host has no diff to show the lines'}`,
                remedy: 'Compare the lines: `-` is in the dump, `+` in the schema file. If something is missing, take a backup now',
                severity: 'warning',
            });
    }
}

;// CONCATENATED MODULE: ./build/verify-action/drill/remedy.js

/** What to mend in the source, by what the server refused. Names no reason that it did not give. */
const mending = [
    [
        /^could not create unique index (".+")/,
        ([, index]) => `it has duplicate rows that ${index} does not allow. Find them without that index (SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; then GROUP BY … HAVING count(*) > 1), remove the duplicates, then REINDEX INDEX ${index}`,
    ],
    [
        // A table of the database's own has no indexes yet when its rows come.
        /^duplicate key value violates unique constraint (".+")/,
        ([, constraint]) => `${constraint} belongs to a table of an extension, and some of its rows come twice: CREATE EXTENSION makes them, and the dump has them as well. If the image has another version of the extension, ALTER EXTENSION … UPDATE in the database. Otherwise delete there the rows that the extension makes by itself`,
    ],
    [
        /^insert or update on table (".+") violates foreign key constraint (".+")/,
        ([, table, constraint]) => `${table} has rows whose partner is missing. Find and fix them (LEFT JOIN … WHERE partner IS NULL). To prove it: drop ${constraint}, add it again with NOT VALID, then ALTER TABLE ${table} VALIDATE CONSTRAINT ${constraint}`,
    ],
    [
        /^(?:new row for relation (".+") violates check constraint (".+")|check constraint (".+") of relation (".+") is violated by some row|check constraint (".+") is violated by some row)/,
        ([, table, constraint, later, of, alone]) => `rows of ${table ?? of ?? 'a table'} do not pass the CHECK ${constraint ?? later ?? alone} in an empty database. If it calls a function that reads another table or a setting, make it a trigger instead: a restore fills tables one after the other. Otherwise fix the rows, then ALTER TABLE … VALIDATE CONSTRAINT`,
    ],
    [
        /^value for domain (.+) violates check constraint (".+")/,
        ([, domain, constraint]) => `rows do not pass the CHECK ${constraint} of the domain ${domain} in an empty database. If it calls a function that reads a table or a setting, let it look at the value alone. Otherwise fix the rows, then ALTER DOMAIN … VALIDATE CONSTRAINT`,
    ],
    [
        /^(null value in column|column .+ contains null values|domain .+ does not allow null values)/,
        () => 'a column has NULL where it must not, or where a table that it inherits from must not: a restore gives a child what its parent has. Fix the rows, then ALTER TABLE … ALTER COLUMN … SET NOT NULL again, or ALTER TABLE ONLY … DROP NOT NULL of the parent',
    ],
    [
        /^(?:could not create exclusion constraint|conflicting key value violates exclusion constraint) (".+")/,
        ([, constraint]) => `it has rows that ${constraint} excludes: fix them, then REINDEX INDEX ${constraint}`,
    ],
    [
        /^(?:no partition of relation|new row for relation .+ violates partition constraint|partition constraint of)/,
        () => 'a partition has rows that belong elsewhere: move them, with ALTER TABLE … DETACH PARTITION and ATTACH PARTITION. If it is partitioned by HASH of an array or a row with values of an enum, every server has them in other partitions: partition by their text instead',
    ],
    [
        /^((function|relation|type|column|table|view|operator|aggregate|cast) .+ (does not exist|is not unique|is ambiguous)|(operator|function) (does not exist|is not unique): .+|(schema .+|role …) does not exist|missing FROM-clause entry|no schema has been selected)/,
        () => 'a function, an index, a CHECK, a default or a regclass in a row uses a name that a restore does not find, or not yet. A restore has an empty search_path: write the schema before the names that the function uses, or ALTER FUNCTION … SET search_path = …. Indexes come last. A name that belongs to an extension needs that extension in the database. What was added to an extension by hand is not in a dump: ALTER EXTENSION … DROP takes it out again',
    ],
    [
        /^materialized view (".+") has not been populated/,
        ([, view]) => `a materialized view reads ${view} in a function. pg_dump does not see that there, and a restore has not filled ${view} yet. Let the view read it in its own query, or give it a name that sorts after ${view}`,
    ],
    [
        /^query would be affected by row-level security policy for table (".+")/,
        ([, table]) => `a materialized view reads ${table}, whose policies hide rows from the owner of the view, and a restore refuses to fill a view with only some of the rows. ALTER ROLE … BYPASSRLS for that owner, or ALTER MATERIALIZED VIEW … OWNER TO a role that has it`,
    ],
    [
        /^(functions in |generation expression is not immutable)/,
        () => 'an index or a generated column calls a function that is not IMMUTABLE, or not in a restore: what ALTER FUNCTION has changed of an extension, such as unaccent, is in no dump. Let a function of your own, which is IMMUTABLE, call it, and use that one instead. Otherwise fix the function or the column',
    ],
    [
        /^(.+) already exists/,
        ([, what]) => `a restore creates ${what} twice: an extension creates it, and the dump has it as well, since somebody took it out of the extension (ALTER EXTENSION … DROP) or created it before the extension. ALTER EXTENSION … ADD makes it a part of the extension again; or give yours another name`,
    ],
    [
        /^unrecognized configuration parameter/,
        () => 'a CHECK, an index or a generated column reads a setting that ALTER DATABASE … SET or ALTER ROLE … SET makes. A restore has none of these before its rows. Let it read the setting by current_setting(name, true) and do without, or set it in postgresql.conf',
    ],
    [
        /^(value too long|invalid input|malformed|date\/time|.*out of range|numeric field overflow|invalid byte sequence|character with byte sequence)/,
        () => 'it has values that their type no longer accepts: fix these rows, or the type',
    ],
];
const ways = 'For what can still be restored: docs/restore.md#a-source-that-does-not-restore';
/** What is no fault of the source, or need not be one. The file is intact in all of these. */
const elsewhere = [
    [
        /^(out of|could not (fork|resize|write|extend|fsync|create file|(open|read) file "|read block)|invalid (page|memory alloc)|the database system|terminating|canceling|sorry|too many|remaining connection|page verification|missing chunk|unexpected chunk|compressed|deadlock|tuple|cache lookup|server closed)/,
        'The server of the drill refused it for a reason of its own, which says nothing about the backup or the source: drill it again. If it says the same, see the log of PostgreSQL that the finding names',
    ],
    [
        /^index row (size|requires)/,
        'A value is too long for its index as the server of the drill stores it. If default_toast_compression is set for the database alone (ALTER DATABASE … SET), a restore needs it in PGOPTIONS. Otherwise index a hash of the value',
    ],
    [
        /^stack depth limit exceeded/,
        'A value or an expression is nested more deeply than the server of the drill takes with the usual max_stack_depth. If that of the source is larger in its postgresql.conf, a restore there works. If only for one database (ALTER DATABASE … SET), a restore needs it in PGOPTIONS',
    ],
    [
        /^role ".+" does not exist/,
        'The dump names a role that the globals next to it did not create. If the backup could not save them, see its report; otherwise read globals.sql.gz of the set: it must create that role. By hand: CREATE ROLE, then restore',
    ],
    [
        /^permission denied for (?!parameter|database)/,
        'A restore builds an index as the owner of its table, and fills a materialized view as the owner of that, and this owner lacks the right. If REINDEX or REFRESH MATERIALIZED VIEW fails in the database, too, the source does not restore: GRANT the right to that owner. Otherwise see which roles and grants globals.sql.gz of the set has',
    ],
    [
        /^(must be|must have|permission denied)/,
        'The role that restores may not do this. See which roles and grants globals.sql.gz of the set has',
    ],
];
/**
 * What to do if a backup did not restore. If its bytes are those that were taken and the server refused a statement, the
 * backup is not at fault. That the source is, and that a new backup would be no better, is said only of errors that show it.
 */
function remedyOf({ id, sha256 }, outcome) {
    const refusal = outcome.fault?.refusal ?? null;
    if (refusal === null || outcome.sha256 !== sha256)
        return `Do not rely on ${id}. Take a backup now and drill it`;
    for (const [said, mend] of mending) {
        const match = said.exec(refusal);
        if (match !== null)
            return `The file is intact; the source itself does not restore, and a new backup fails the same way until that is fixed there: ${mend(match)}. ${ways}`;
    }
    const known = elsewhere.find(([said]) => said.test(refusal));
    if (known !== undefined)
        return `The file is intact. ${known[1]}`;
    const read = refusal === printed_errors/* hidden */.R
        ? 'Why it does not restore is only in the log of PostgreSQL that the finding names: read it on the host'
        : 'This error does not tell whether the source or the server of the drill is at fault. The whole message is in the log of PostgreSQL that the finding names, on the host';
    return `The file is intact. ${read}. Fix what it names, and drill it again. ${ways}`;
}

;// CONCATENATED MODULE: ./build/verify-action/drill/judge-drill.js







/** The running database's image if its major version matches the archive's, otherwise the official image. */
function imageFor(manifest, running) {
    const major = (version) => Number.parseInt(version, 10);
    if (running !== null && major(running.facts.serverVersion) === major(manifest.serverVersion))
        return running.imageId;
    return `postgres:${major(manifest.serverVersion)}`;
}
/** Checks that the restored data equal the dumped data. */
function judgeDrill({ manifest, outcome, statements, copy }) {
    const findings = new finding/* Findings */.Fv('drill');
    const { fault, restored } = outcome;
    const id = copy === null ? manifest.id : `the copy of ${manifest.id} off the host`;
    const remedy = `Do not rely on ${id}. Take a backup now and drill it`;
    findings.check('same bytes', () => {
        if (outcome.sha256 === manifest.sha256)
            return `${manifest.file} matches its manifest`;
        const what = outcome.sha256 === null ? 'could not be read to its end' : 'does not match its manifest';
        return { detail: `${manifest.file} ${what}`, remedy };
    });
    findings.check('restore', () => {
        if (fault === null)
            return `restored ${copy === null ? id : `${manifest.id} from ${copy}`} of "${manifest.database}" into an empty server in ${(0,units/* formatDuration */.a3)(outcome.restoreMs)}`;
        return {
            detail: `${id}: ${fault.why}. ${fault.words}`,
            remedy: remedyOf({ id, sha256: manifest.sha256 }, outcome),
        };
    });
    if (restored === null) {
        for (const name of ['tables', 'rows', 'content', 'sequences', 'large objects', 'extensions', 'schema', 'indexes'])
            findings.unable(name, 'the backup was not restored', null);
        if (statements.length > 0)
            findings.unable('drill-sql', 'the backup was not restored', null);
        return findings;
    }
    judgeData(findings, manifest, restored, remedy);
    judgeSchema(findings, manifest, restored);
    judgeIndexes(findings, restored, remedy);
    if (statements.length > 0)
        judgeStatements(findings, statements, restored.assertions);
    return findings;
}
/** The backup, what came back and how long that took: `backup 20261125_083415 of "shop", 8,316 rows, recovered in 5.5 s`. */
function drillText({ id, database }, { fault, restored, restoreMs }, copy) {
    const backup = `backup ${id} of "${database}"${copy === null ? '' : ` from the off-site copy ${copy}`}`;
    if (fault !== null || restored === null)
        return `${backup}, not restored`;
    const rows = restored.tables.filter(({ isDumped }) => isDumped).reduce((sum, table) => sum + (table.rows ?? 0), 0);
    return `${backup}, ${(0,units/* counted */.hS)(rows, 'row')}, recovered in ${(0,units/* formatDuration */.a3)(restoreMs)}`;
}
function judgeStatements(findings, statements, assertions) {
    if (assertions === null) {
        findings.unable('drill-sql', 'could not create a read-only role in the scratch database', 'See the log');
        return;
    }
    findings.check('drill-sql', () => {
        const wrong = statements
            .map((statement, index) => ({ statement, result: assertions[index] }))
            .filter(({ result }) => result?.isTrue !== true);
        if (wrong.length === 0)
            return `${(0,units/* counted */.hS)(statements.length, 'statement')}, all true`;
        const named = wrong.map(({ statement, result }) => `${oneLine(statement)} returned ${oneLine(result?.answer ?? '') || 'nothing'}`);
        return {
            detail: (0,finding/* some */.zN)(named),
            remedy: 'Find out which is wrong: the restored data, or the statement in "drill-sql"',
        };
    });
}
const oneLine = (text) => {
    const line = text.replaceAll(/\s+/g, ' ').trim();
    return line.length > 120 ? `${line.slice(0, 119)}…` : line;
};
/** The record of a drill. It says nothing about the release that was running when the backup was taken. */
function drillRecord(manifest, { result, restoreMs }, facts) {
    const { id, release, schemaSha256 } = manifest;
    return {
        ...(0,observation/* observed */.Px)(release, { ...facts, backupId: id, schemaSha256 }, null),
        event: 'drill',
        status: result === 'passed' ? 'succeeded' : 'failed',
        durationMs: restoreMs,
    };
}

;// CONCATENATED MODULE: ./build/verify-action/drill/check-drill.js


















/** Restores a backup for real, and stores the result beside the backup and in the history. */
async function checkDrill(connection, surveyed, run, story) {
    const { inputs, signal } = run;
    const source = await sourceOf(connection, surveyed.catalogue, {
        ...inputs,
        wanted: inputs.drillBackup,
        from: inputs.drillFrom,
        folderIds: inputs.drillFrom === 's3' ? (0,survey_sets/* demandFolderIds */.O8)(surveyed.sets, inputs.backupDir) : [],
        database: (0,surveyed_host/* databaseOf */.z)(surveyed, inputs),
        input: 'drill-backup',
        signal,
        log: log,
    });
    try {
        return await drillFrom(connection, source, surveyed, run, story);
    }
    finally {
        await source.close();
    }
}
async function drillFrom(connection, source, surveyed, run, story) {
    const { inputs, outputs, signal } = run;
    const { seen } = surveyed;
    const { set, copy } = source;
    const facts = (0,last_good/* factsOf */.xS)(seen);
    const container = seen.containers.find(({ id }) => id === seen.candidates[0]?.container);
    const image = imageFor(set.manifest, facts === null || container === undefined ? null : { imageId: container.imageId, facts });
    const needed = (0,drill_needed/* neededFor */.r)(set.manifest, facts?.sizeBytes ?? null) + inputs.minFreeSpace;
    log.info(`Drilling ${copy ?? set.id} (${(0,units/* formatBytes */.z3)(set.manifest.sizeBytes)}). Docker's disk needs ${(0,units/* formatBytes */.z3)(needed)} free, of which ${(0,units/* formatBytes */.z3)(inputs.minFreeSpace)} must stay free`);
    // The restored data are compared with the whole manifest, which the survey did not fetch.
    const manifest = await source.manifest();
    refuseShortage(manifest, inputs.drillMemory);
    if (source.isSent)
        log.info('The dump streams through this runner, which stores none of it');
    const outcome = await drill(connection, {
        backupDir: inputs.backupDir,
        set,
        sent: await source.sent(),
        tables: manifest.tables,
        image,
        token: (0,external_node_crypto_.randomBytes)(4).toString('hex'),
        memory: inputs.drillMemory,
        largestValue: largestOf(manifest.tables),
        neededBytes: needed,
        leastBytes: inputs.minFreeSpace,
        timezone: facts?.timezone ?? '',
        statements: inputs.drillStatements,
        timeout: inputs.timeout,
        signal,
        onLog: log.host,
        onProgress: tellDrill,
    });
    story.drilled = { id: set.id, sha256: outcome.sha256, copy };
    outputs['drill-duration-ms'] = outcome.fault === null ? outcome.restoreMs : null;
    const findings = judgeDrill({
        manifest,
        outcome,
        statements: inputs.drillStatements,
        copy,
    });
    findings.subject = drillText(manifest, outcome, copy);
    const proof = proofOf(findings, source, image, run);
    await findings.attempt('proof', () => recordDrill(connection, set, proof, surveyed, run));
    return findings;
}
/** What is kept of a drill, beside the backup. */
function proofOf({ list }, { copy }, image, { outputs, workflow }) {
    const { status } = (0,finding/* tallyOf */.sv)(list, 'error');
    return {
        at: new Date().toISOString(),
        what: 'drill',
        from: copy === null ? 'host' : 's3',
        result: status === 'verified' ? 'passed' : status === 'failed' ? 'failed' : 'could-not-check',
        checks: Object.fromEntries(list.map(({ name, result }) => [name, result])),
        restoreMs: outputs['drill-duration-ms'],
        image,
        runUrl: workflow.runUrl,
    };
}
/** Adds the proof to the backup, and a record to the history. @returns what was done */
async function recordDrill(connection, set, proof, surveyed, run) {
    const { inputs, workflow } = run;
    const { backupDir, lockWait, environment } = inputs;
    // A drill that could not be made proves nothing, so it is not recorded as failed.
    const record = proof.result === 'could-not-check' ? null : drillRecord(set.manifest, proof, (0,observation/* runFacts */.pI)(environment, workflow));
    if (set.folders.length === 0) {
        if (record !== null)
            await (0,add_record/* addRecord */.$)(connection, record, surveyed, run);
        return `${set.id} is not on the host, or differs from the one there, so only the history records the drill`;
    }
    const holder = (0,lock_holder/* holderText */.ii)('verify-action', workflow.runUrl, new Date());
    await addProof(connection, set, proof, {
        records: record === null ? [] : [...surveyed.knownHistory.missing, record],
        backupDir,
        lock: { path: (0,backup_folder/* lockFile */.Ke)(backupDir), wait: lockWait, holder },
        onLog: log.host,
    });
    if (record !== null)
        await (0,add_record/* copyRecord */.X)(record, surveyed, run);
    return `added to the proofs of ${set.id}`;
}
function tellDrill(name, value) {
    if (name === 'room')
        log.progress(`Docker's disk has ${(0,units/* formatBytes */.z3)(Number(value))} free`);
    else if (name === 'restoring')
        log.progress(`Restoring ${(0,units/* formatBytes */.z3)(Number(value))}`);
    else
        log.progress('Checking the restored data');
}
/** A restore that is sure to fail would only take long to say so. */
function refuseShortage({ id, tables }, memory) {
    const shortage = memoryShortage(tables, memory);
    if (shortage === null)
        return;
    throw new shared_failure/* Failure */.HR('drill-unfit', `${id} cannot be restored with ${(0,units/* formatBytes */.z3)(memory)} of memory: the largest value in ${shortage.tables} has ${(0,units/* formatBytes */.z3)(shortage.largestValue)}. This says nothing about the backup`, {
        hint: `Nothing was restored. Set "drill-memory" to ${enoughMemory(shortage.largestValue, memory)}, then drill it again`,
    });
}


/***/ })

};
