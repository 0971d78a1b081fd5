export const id = 949;
export const ids = [949];
export const modules = {

/***/ 68949:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  checkOffsite: () => (/* binding */ checkOffsite)
});

// EXTERNAL MODULE: ./build/shared/drill/finding.js + 1 modules
var finding = __webpack_require__(93754);
// EXTERNAL MODULE: ./build/shared/failure.js
var failure = __webpack_require__(926);
// EXTERNAL MODULE: ./build/shared/offsite/folder-id.js
var folder_id = __webpack_require__(6675);
// EXTERNAL MODULE: ./build/shared/by-text.js
var by_text = __webpack_require__(14295);
// EXTERNAL MODULE: ./build/shared/sets/catalogue.js
var sets_catalogue = __webpack_require__(43373);
// EXTERNAL MODULE: ./build/shared/sets/layout.js
var layout = __webpack_require__(81256);
// EXTERNAL MODULE: ./build/shared/sets/retention.js
var retention = __webpack_require__(75286);
// EXTERNAL MODULE: ./build/shared/sets/tiers.js
var sets_tiers = __webpack_require__(33573);
;// CONCATENATED MODULE: ./build/shared/offsite/plan-copies.js






/**
 * Which sets of the host to copy: the new one, then those that the bucket lacks and would keep, newest first.
 * @param most how many at most
 */
function planCopies(onHost, stored, newest, most, rules) {
    const { complete, missing } = compared(onHost, stored, rules);
    const kept = new Set(decide([...complete, ...missing], rules)
        .filter(({ keep }) => keep)
        .map(({ id }) => id));
    return missing
        .filter(({ id }) => id === newest || kept.has(id))
        .toSorted((a, b) => Number(b.id === newest) - Number(a.id === newest) || (0,sets_catalogue/* newestFirst */.ll)(a.id, b.id))
        .slice(0, most);
}
/** In which tier the bucket will keep this set of the host for longest: not the host's own, which has another policy. */
function offsiteTierOf(set, onHost, stored, rules) {
    const { complete, missing } = compared(onHost, stored, rules);
    return decide([...complete, ...missing], rules).find(({ id }) => id === set.id)?.tier ?? 'daily';
}
/** What the bucket has in full, and what it lacks. */
function compared(onHost, stored, rules) {
    const complete = ofOurs(stored, rules).filter(({ isComplete }) => isComplete);
    const there = new Set(complete.map(({ id }) => id));
    const ours = onHost.filter(({ database, manifest }) => database === rules.database && isCopied(manifest));
    const missing = ours.filter(({ id }, index) => !there.has(id) && ours.findIndex((set) => set.id === id) === index);
    return { complete, missing };
}
/**
 * What to keep of the bucket's sets of this database and backup folder. The newest complete one is always kept. A set of which
 * something is missing keeps no other from its place; what a deletion has left of it goes when the policy says so.
 */
function planOffsitePruning(stored, rules) {
    const ours = ofOurs(stored, rules);
    const complete = ours.filter(({ isComplete }) => isComplete);
    const remains = ours.filter(({ isComplete }) => !isComplete);
    return [
        ...decide(complete, rules),
        ...remains.flatMap((set) => decide([...complete, set], rules).filter(({ id }) => id === set.id)),
    ];
}
const longest = ['monthly', 'weekly', 'daily'];
/** What was taken before a rollback is needed on the host, and soon; in the bucket it would take the place of a nightly one. */
const isCopied = ({ kind }) => kind !== 'prerollback';
/** Of two databases or two backup folders, none may take a place of the other's copies, nor delete them. */
function ofOurs(stored, { database, folderIds }) {
    return stored.filter((set) => set.database === database && (0,folder_id/* isOurs */.MU)(set.folderId, folderIds));
}
/**
 * As on the host: the sets enter their tiers in the order in which they were taken, and each tier keeps what it keeps there. The
 * bucket has no folders for tiers, so this is computed anew each time. As on the host, a set taken before a deployment counts as a
 * daily one.
 */
function decide(sets, { database, policy, timezone, now }) {
    const keep = { ...policy, predeployment: 0, prerollback: 0 };
    const entered = [];
    for (const { id, manifest } of sets.toSorted((a, b) => (0,by_text/* byText */.z)(a.id, b.id))) {
        // decideTiers wants the newest first, as a catalogue has them.
        const tiers = (0,sets_tiers/* decideTiers */.W)({ id, database, kind: 'scheduled' }, entered, keep, timezone);
        const folders = tiers.filter(({ enters }) => enters).map(({ tier }) => (0,layout/* folderOfTier */.aI)(tier));
        entered.unshift({ state: 'verified', id, database, manifest, folders });
    }
    const decisions = (0,retention/* decidePruning */.M)(entered, { database, policy: keep, timezone, now });
    return entered.map(({ id }) => {
        const own = decisions.filter((decision) => decision.id === id);
        return {
            id,
            keep: own.some(({ action }) => action !== 'delete'),
            tier: longest.find((each) => own.some(({ tier, action }) => tier === each && action !== 'delete')) ?? 'daily',
            reasons: own.map(({ tier, reason }) => `${tier}: ${reason}`),
        };
    });
}

// EXTERNAL MODULE: ./build/shared/offsite/s3-store.js + 4 modules
var s3_store = __webpack_require__(46156);
// EXTERNAL MODULE: ./build/shared/offsite/stored-sets.js + 1 modules
var stored_sets = __webpack_require__(63489);
// EXTERNAL MODULE: ./build/shared/runner/log.js
var log = __webpack_require__(33437);
// EXTERNAL MODULE: ./build/shared/survey/survey-sets.js
var survey_sets = __webpack_require__(80847);
// EXTERNAL MODULE: ./build/shared/units.js
var units = __webpack_require__(98295);
// EXTERNAL MODULE: ./build/shared/canonical-json.js
var canonical_json = __webpack_require__(71569);
// EXTERNAL MODULE: ./build/shared/sets/age-stream.js
var age_stream = __webpack_require__(16652);
// EXTERNAL MODULE: ./build/shared/sets/naming.js
var naming = __webpack_require__(29462);
// EXTERNAL MODULE: ./build/shared/sets/read-sets.js
var read_sets = __webpack_require__(6646);
// EXTERNAL MODULE: ./build/shared/sets/sealed-manifest.js
var sealed_manifest = __webpack_require__(88166);
;// CONCATENATED MODULE: ./build/verify-action/backups/judge-offsite.js









/** How far clocks may differ, as when a backup is taken. */
const greatestSkew = 5 * 60_000;
/** Checks that copies exist off the host, are recent, and are those of the sets on the host. */
function judgeOffsite(findings, facts) {
    const severity = facts.isRequired ? 'error' : 'warning';
    const copies = copiesOf(facts.database, facts.stored);
    findings.check('off-site newest', () => judgeAge(copies, facts), severity);
    findings.check('off-site complete', () => judgeComplete(copies, facts), severity);
    if (facts.newest instanceof failure/* Failure */.HR)
        findings.unable('off-site checksum', (0,finding/* detailOf */.Rw)(facts.newest), facts.newest.hint ?? null);
    else if (facts.newest !== null)
        judgeContent(findings, facts.newest);
    findings.check('off-site agrees', () => judgeDifferences(copies, facts));
    findings.check('off-site sets', () => judgeMissing(copies, facts), severity);
}
/** The complete copies of a database, newest first. */
function copiesOf(database, stored) {
    return stored
        .filter((set) => set.isComplete && set.database === database)
        .toSorted((a, b) => (0,sets_catalogue/* newestFirst */.ll)(a.id, b.id));
}
function judgeAge([newest], { place, database, maxAge, now }) {
    const remedy = 'See the log of the last run of backup-action, and run it again: it uploads what is missing';
    if (newest === undefined)
        return { detail: `there is no complete copy of "${database}" in ${place}`, remedy };
    const age = now.getTime() - ((0,naming/* startOf */.GH)(newest.id)?.getTime() ?? 0);
    if (age < -greatestSkew)
        return {
            detail: `the copy ${newest.id} is dated in the future`,
            remedy: 'Check the clock of the host: timedatectl. Take a backup now',
        };
    if (age <= maxAge)
        return `the newest copy, ${newest.id}, is ${(0,units/* formatDuration */.a3)(Math.max(0, age))} old`;
    return {
        detail: `the newest copy, ${newest.id}, is ${(0,units/* formatDuration */.a3)(age)} old; the limit is ${(0,units/* formatDuration */.a3)(maxAge)} (max-backup-age)`,
        remedy,
    };
}
/** Unfinished copies of another database are not ours to judge; files without a manifest may be anybody's. */
function judgeComplete(copies, { stored, parts, database, host }) {
    const ids = new Set(host.map(({ id }) => id));
    const faulty = stored.filter((set) => !set.isComplete && (set.database === database || ids.has(set.id)));
    const faults = [
        ...faulty.map(({ id, faults }) => `${id}: ${faults.join(', ')}`),
        ...parts.map(({ id, why }) => `${id}: ${why}`),
    ];
    if (faults.length === 0)
        return `${(0,units/* counted */.hS)(copies.length, 'complete set')}, each with all of its files`;
    return {
        detail: (0,units/* listed */.KE)(faults, 3, { separator: '; ' }),
        remedy: parts.some(({ state }) => state === 'unread')
            ? 'Bring these manifests back in the store (aws s3api restore-object, if they are archived), and let no lifecycle rule archive manifests: every run reads them'
            : parts.every(({ id }) => ids.has(id))
                ? 'Run backup-action again: it uploads what is missing, as long as the set is on the host'
                : 'Unless an upload is going on now, run backup-action again: it uploads what is missing, as long as the set is on the host. Delete the rest by hand',
    };
}
/** Says no more than was done. */
function judgeContent(findings, { id, how, bytes, files, faults }) {
    findings.check('off-site checksum', () => {
        if (faults.length > 0)
            return {
                detail: `the copy ${id}: ${(0,units/* listed */.KE)(faults, 3, { separator: '; ' })}`,
                remedy: `Do not rely on the copy ${id}: delete its objects from the bucket, and run backup-action again`,
            };
        if (how === 'size')
            return {
                detail: `of the dump of ${id} only the size was compared: the store reports no checksum over all of it, and it is large`,
                remedy: 'Set "require-offsite", with which it is read in full, or drill it with "drill-from: s3"',
                severity: 'warning',
            };
        const read = (0,units/* formatBytes */.z3)(bytes);
        return how === 'read'
            ? `the ${files} files of ${id} were read in full (${read}), and are what its checksums and its manifest say`
            : `the store reports the SHA-256 of the dump of ${id} that its manifest has; its other files were read in full (${read})`;
    });
}
/**
 * A copy of a set that is still on the host must be that set. Its summary and the sizes of all of its files are compared. What the
 * runner has encrypted has other bytes each time, but their number is known; and its lists are those of the encrypted files.
 */
function judgeDifferences(copies, { host, hostFiles }) {
    const sizes = new Map(hostFiles.map(({ path, bytes }) => [path, bytes]));
    const pairs = copies.flatMap((copy) => {
        const set = host.find(({ id }) => id === copy.id);
        return set === undefined ? [] : [{ copy, set }];
    });
    const differences = pairs.flatMap(({ copy, set }) => {
        if ((0,canonical_json/* canonicalJson */.d)((0,sealed_manifest/* unsealManifest */.U)(copy.manifest)) !== (0,canonical_json/* canonicalJson */.d)(set.manifest))
            return [`the manifest of ${copy.id} is not the one on the host`];
        const { proof, ...names } = (0,read_sets/* namesOf */.eZ)(set);
        const copies = (0,read_sets/* namesOf */.eZ)(copy);
        return Object.keys(names).flatMap((part) => {
            const here = (0,sets_catalogue/* pathsOf */.wG)(set).flatMap((folder) => sizes.get(`${folder}/${names[part]}`) ?? [])[0];
            const there = copy.files.find((file) => file.name === copies[part])?.bytes;
            const expected = here === undefined ? undefined : sizeOfCopy(part, here, copy.manifest);
            if (here === undefined || (there !== undefined && (expected ?? there) === there))
                return [];
            return [
                `${copies[part]} ${there === undefined ? 'is missing off the host' : `has ${there} bytes there and ${here} here`}`,
            ];
        });
    });
    if (differences.length === 0) {
        if (pairs.length === 0)
            return 'no set is both on the host and off it';
        const sealed = pairs.filter(({ copy }) => copy.manifest.sealedFrom !== null).length;
        const how = sealed === 0 ? '' : `, which for ${sealed} of them a runner has encrypted on the way`;
        return `${(0,units/* counted */.hS)(pairs.length, 'set')} on the host and off it: the same manifests, and files of the same sizes${how}`;
    }
    return {
        detail: (0,units/* listed */.KE)(differences, 3, { separator: '; ' }),
        remedy: 'Find out which of the two was changed, and by whom. Do not rely on either until a drill has proven it',
    };
}
/** Bytes that a file of a set must have in the bucket; null if that is not known. All files of an encrypted copy have headers of one size. */
function sizeOfCopy(part, here, { sealedFrom, sizeBytes }) {
    if (sealedFrom === null)
        return here;
    if (['manifest', 'sha256', 'md5'].includes(part))
        return null;
    return (0,age_stream/* sealedBytes */.Up)(here) + sizeBytes - (0,age_stream/* sealedBytes */.Up)(sealedFrom.sizeBytes);
}
/** The upload of the newest one may be going on; nobody can tell that from an upload that failed. */
function judgeMissing(copies, { missing, place, parts }) {
    if (missing.length === 0)
        return `none is missing: ${(0,units/* counted */.hS)(copies.length, 'complete set')} in ${place}`;
    const half = new Set(parts.map(({ id }) => id));
    const names = missing.map(({ id }) => (half.has(id) ? `${id} (of which only a part is there)` : id));
    return {
        detail: `no copy of ${(0,units/* listed */.KE)(names, 3)} in ${place}`,
        remedy: 'Run backup-action, unless one is uploading now: each run uploads some of what is missing, the newest first',
    };
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: external "node:stream/consumers"
var consumers_ = __webpack_require__(38321);
;// CONCATENATED MODULE: ./build/verify-action/backups/read-copy.js



/** Bytes of a checksum list; no honest one is longer. */
const longestList = 64 * 1024;
/**
 * Compares every file of a copy with its checksums and its manifest. What the store has computed over all of the dump itself is
 * taken as its checksum; else the dump is read in full, unless it has more bytes than `mostRead`: then only its size is known.
 * @param onReading called before the dump is read
 */
async function readCopy(store, { id, database, files, manifest }, mostRead, onReading) {
    const set = { state: 'verified', id, database, manifest, folders: ['daily'] };
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const keyOf = (name) => files.find((file) => file.name === name)?.key;
    const open = async (name) => {
        const key = keyOf(name);
        return key === undefined ? null : ((await store.read(key))?.content ?? null);
    };
    const reading = {
        sums: new Map(),
        lists: new Map(),
    };
    for (const name of [names.sha256, names.md5]) {
        const key = keyOf(name);
        const list = key === undefined ? null : await store.read(key, longestList);
        if (list !== null)
            reading.lists.set(`daily/${name}`, (await (0,consumers_.buffer)(list.content)).toString('utf8'));
    }
    let bytes = 0;
    const hashed = async (name) => {
        const content = await open(name);
        if (content === null)
            return null;
        const hash = (0,external_node_crypto_.createHash)('sha256');
        for await (const piece of content) {
            hash.update(piece);
            bytes += piece.length;
        }
        return hash.digest('hex');
    };
    for (const name of (0,read_sets/* filesOf */.R8)(names).filter((name) => name !== names.dump))
        reading.sums.set(`daily/${name}`, await hashed(name));
    const facts = await store.facts(keyOf(names.dump) ?? '');
    let how = 'reported';
    let sha256 = facts?.sha256 ?? null;
    if (facts !== null && sha256 === null) {
        how = facts.bytes > mostRead ? 'size' : 'read';
        if (how === 'read') {
            onReading(store.uri(keyOf(names.dump) ?? ''));
            sha256 = await hashed(names.dump);
        }
    }
    // Of a dump that is not read nothing more is known, so it gives no fault here: its judge says so.
    reading.sums.set(`daily/${names.dump}`, how === 'size' ? manifest.sha256 : sha256);
    return { id, how, bytes, ...judged((0,read_sets/* judgeReading */.gx)(set, reading)) };
}
const judged = ({ files, faults }) => ({ files, faults });

;// CONCATENATED MODULE: ./build/verify-action/backups/check-offsite.js












/** Bytes of a dump that is read in full without `require-offsite`, where the store reports no checksum: reading costs money. */
const mostRead = 256 * 1024 * 1024;
/** Checks the copies off the host. */
async function checkOffsite(findings, database, surveyed, bucket, { inputs, signal }) {
    const { timeout } = inputs;
    const overdue = AbortSignal.timeout(timeout);
    /** What the bucket failed with; anything else that is thrown is a defect of ours. */
    const failureOf = (error) => {
        signal.throwIfAborted();
        if (overdue.aborted)
            return tooLong(timeout);
        if ((0,failure/* isFailure */.N6)(error))
            return error;
        throw error;
    };
    const store = await (0,s3_store/* openS3Store */.e)(bucket, AbortSignal.any([signal, overdue]));
    try {
        await checkCopies(findings, { ...surveyed, database, store, place: bucket, inputs, failureOf });
    }
    catch (error) {
        const failure = failureOf(error);
        findings.unable('off-site newest', (0,finding/* detailOf */.Rw)(failure), failure.hint ?? null);
    }
    finally {
        store.close();
    }
}
async function checkCopies(findings, { database, catalogue, sets, now, store, place, inputs, failureOf }) {
    const { environment, requireOffsite: isRequired, maxBackupAge: maxAge, timezone, offsiteKeep: policy } = inputs;
    const folderIds = (0,survey_sets/* demandFolderIds */.O8)(sets, inputs.backupDir);
    const { sets: all, parts } = await (0,stored_sets/* contentsOf */.K)(store, place.prefix, environment);
    const others = (0,folder_id/* othersIn */.xG)(all, { database, folderIds });
    if (others !== null)
        log.notice(others);
    const stored = all.filter((set) => (0,folder_id/* isOurs */.MU)(set.folderId, folderIds));
    const host = (0,sets_catalogue/* verifiedSetsOf */.Ns)(database, catalogue.sets);
    const [newest] = copiesOf(database, stored);
    const most = isRequired ? Number.POSITIVE_INFINITY : mostRead;
    const tell = (uri) => log.progress(`The store reports no checksum: reading ${uri}`);
    judgeOffsite(findings, {
        place: store.uri(`${place.prefix}/${environment}`),
        database,
        stored,
        parts,
        // The other findings on the copies are reported even if this one cannot be read.
        newest: newest === undefined ? null : await readCopy(store, newest, most, tell).catch(failureOf),
        host,
        hostFiles: sets.files,
        missing: planCopies(host, stored, '', host.length, { database, folderIds, policy, timezone, now }),
        isRequired,
        maxAge,
        now,
    });
}
function tooLong(timeout) {
    return new failure/* Failure */.HR('deadline', `The bucket could not be read within ${(0,units/* formatDuration */.a3)(timeout)}`, {
        hint: 'Raise "timeout", or find out what slows down the connection to the store',
    });
}


/***/ })

};
