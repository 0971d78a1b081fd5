export const id = 561;
export const ids = [561];
export const modules = {

/***/ 45055:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "58c06cd696675c6ddf15.sh";

/***/ }),

/***/ 85561:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  copyOffsite: () => (/* binding */ copyOffsite)
});

// EXTERNAL MODULE: ./build/shared/backups/publication-plan.js
var publication_plan = __webpack_require__(57936);
// EXTERNAL MODULE: ./build/shared/failure.js
var failure = __webpack_require__(926);
// EXTERNAL MODULE: ./build/shared/host/backup-folder.js
var backup_folder = __webpack_require__(53542);
// EXTERNAL MODULE: ./build/shared/units.js
var units = __webpack_require__(98295);
;// CONCATENATED MODULE: ./build/shared/offsite/copy-progress.js

/** Milliseconds. Every line stays in the log for good, so write only a few. */
const betweenLines = 10_000;
/** Writes into the log how the copy of one set gets on. */
class CopyProgress {
    #log;
    #file = { name: '', bytes: 0, arrived: 0, beganAt: 0 };
    #lastLine = 0;
    constructor(log, { manifest: { id, sizeBytes } }) {
        this.#log = log;
        log.info(`${id}: its dump has ${(0,units/* formatBytes */.z3)(sizeBytes)}`);
    }
    begins(name, bytes) {
        this.#lastLine = Date.now();
        this.#file = { name, bytes, arrived: 0, beganAt: this.#lastLine };
    }
    arrived(bytes) {
        const now = Date.now();
        this.#file.arrived += bytes;
        if (now - this.#lastLine < betweenLines)
            return;
        this.#lastLine = now;
        this.#log.progress(copyProgressLine({ ...this.#file, ms: now - this.#file.beganAt }));
    }
    confirmed(name, confirmation) {
        const how = confirmation === 'reported' ? 'the store reports the same SHA-256' : 'read back, with the same SHA-256';
        this.#log.success(`${name}: ${(0,units/* formatBytes */.z3)(this.#file.bytes)}, ${how}`);
    }
}
/** `backup_….dump.zst: 120 MiB of 1.0 GiB copied, 35 MiB/s, about 26 s left` */
function copyProgressLine(file) {
    const { name, bytes, arrived, ms } = file;
    const rate = arrived / (Math.max(ms, 1) / 1_000);
    const left = rate === 0 ? '' : `, about ${(0,units/* formatDuration */.a3)((1_000 * Math.max(bytes - arrived, 0)) / rate)} left`;
    return `${name}: ${(0,units/* formatBytes */.z3)(arrived)} of ${(0,units/* formatBytes */.z3)(bytes)} copied, ${(0,units/* formatRate */.CE)(rate)}${left}`;
}

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
        if ((0,failure/* isFailure */.N6)(error, 'lock-held'))
            throw (0,lock_holder/* lockHeld */.bh)(error.message, lock.path, lock.wait);
        throw error;
    }
}

;// CONCATENATED MODULE: ./build/shared/offsite/hold-offsite.js



const hold_offsite_program = {
    name: 'hold-offsite',
    step: 'taking the lock for off-site copies',
    scripts: [__webpack_require__.ab + "folder-id.sh", __webpack_require__.ab + "hold-offsite.sh"],
};
/**
 * Takes the lock for copies off the host, and tells the ids of the backup folder, which gets one if it has none.
 * @throws Failure `folder-id-damaged`; as `holdLock`
 */
async function holdOffsite(connection, { backupDir, wait, holder, ...request }) {
    const lock = { path: (0,backup_folder/* offsiteLock */.A0)(backupDir), wait, holder };
    try {
        const { records, release } = await holdLockBy(connection, hold_offsite_program, { backup_dir: backupDir }, { ...request, lock });
        const [own = '', ...takenOver] = records.get('folder-ids').split('\n');
        return { folderIds: [own, ...takenOver], release };
    }
    catch (error) {
        throw (0,failure/* isFailure */.N6)(error, 'folder-id-damaged') ? (0,backup_folder/* folderIdDamaged */.VH)(backupDir) : error;
    }
}

// EXTERNAL MODULE: ./build/shared/sets/naming.js
var naming = __webpack_require__(29462);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: ./build/shared/sets/read-sets.js
var read_sets = __webpack_require__(6646);
;// CONCATENATED MODULE: ./build/shared/offsite/checksums.js

/**
 * The checksum that S3 reports of an object sent in parts: SHA-256 over the SHA-256 of each part, then `-` and their number.
 * @param parts SHA-256 of each part in hex
 */
function compositeOf(parts) {
    const hash = (0,external_node_crypto_.createHash)('sha256');
    for (const part of parts)
        hash.update(part, 'hex');
    return `${hash.digest('hex')}-${parts.length}`;
}
/** Reads `x-amz-checksum-sha256`: Base64, and `-N` behind it for a composite one. Anything else counts as not reported. */
function reportedChecksum(header, type) {
    const [, base64, parts] = /^([A-Za-z0-9+/]{43}=)(?:-(\d+))?$/.exec(header ?? '') ?? [];
    if (base64 === undefined)
        return { sha256: null, compositeSha256: null };
    const hex = Buffer.from(base64, 'base64').toString('hex');
    if (parts === undefined && type !== 'COMPOSITE')
        return { sha256: hex, compositeSha256: null };
    return { sha256: null, compositeSha256: `${hex}-${parts ?? 1}` };
}
/** The ETag of an object sent in parts, from those of the parts; null if they are not MD5, as with KMS. */
function compositeEtag(etags) {
    const hash = (0,external_node_crypto_.createHash)('md5');
    for (const etag of etags) {
        const [, hex] = /^"?([0-9a-f]{32})"?$/.exec(etag) ?? [];
        if (hex === undefined)
            return null;
        hash.update(hex, 'hex');
    }
    return `${hash.digest('hex')}-${etags.length}`;
}

;// CONCATENATED MODULE: ./build/shared/offsite/folder-id.js

/** By which the manifest's object says from which backup folder a copy is: in its metadata, as its bytes are the host's. */
const noted = 'folder';
const metadataOf = ([own]) => ({ [noted]: own });
/** The id of the backup folder that a copy is from; null if none is noted, as of one that was copied by hand. */
const folderIdIn = (metadata) => metadata[noted] ?? null;
/** Whether a copy counts as this backup folder's. It does unless both have an id, and these differ. */
function isOurs(noted, folderIds) {
    return folderIds.length === 0 || noted === null || folderIds.includes(noted);
}
/** One sentence on the copies of a database that other backup folders made; null if there are none. */
function othersIn(stored, { database, folderIds }) {
    const others = stored.filter((set) => set.database === database && !isOurs(set.folderId, folderIds));
    if (others.length === 0)
        return null;
    const ids = [...new Set(others.map((set) => set.folderId ?? ''))];
    const who = ids.length === 1 ? 'another backup folder' : `${ids.length} other backup folders`;
    const [copies, are] = others.length === 1 ? ['a copy', 'it is'] : [`${others.length} copies`, 'they are'];
    return `The bucket also holds ${copies} of "${database}" that ${who} made (${(0,units/* listed */.KE)(ids, 3)}); ${are} left alone. Give each host an "s3-prefix" of its own; if this host replaces a lost one, add that id to ".folder-id" in its backup folder to take the copies over`;
}

// EXTERNAL MODULE: ./build/shared/offsite/keys.js
var offsite_keys = __webpack_require__(32333);
// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(57075);
;// CONCATENATED MODULE: ./build/shared/passing-memory.js
// Bytes that flow through the runner leave a buffer behind with each piece. Node frees them when its young objects are collected,
// which are small and few: until then, a fast stream has left a hundred MiB. To collect them earlier is quick, and needs less time
// altogether, since the same memory is used again. A piece that waits during two collections counts as old, and stays until the old
// objects are collected as well, which takes longer.
/** How many bytes may pass before what they left is freed. */
const mostPassed = 4 * 2 ** 20;
/** Each time the old objects are collected as well. */
const everyOld = 32;
let passed = 0;
let times = 0;
let collect = null;
/** Call it for each piece that has passed. */
function tellPassed(bytes) {
    passed += bytes;
    if (passed < mostPassed)
        return;
    passed = 0;
    times += 1;
    collect ??= collector();
    collect(times % everyOld === 0 ? 'major' : 'minor');
}
function collector() {
    try {
        // Only a run that moves many bytes needs these, so they are no part of every start.
        process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
        const gc = process
            .getBuiltinModule('node:vm')
            .runInNewContext('gc');
        return (type) => gc({ type });
    }
    catch {
        // Without it everything works, in more memory.
        return () => { };
    }
}

;// CONCATENATED MODULE: ./build/shared/sets/age-stream.js

// The content of a file of age, in pieces that are sealed one by one: https://age-encryption.org/v1. Node itself does it, which is
// several times as fast as age's own library.
const nonceBytes = 16;
const pieceBytes = 64 * 1024;
const tagBytes = 16;
const sealedPieceBytes = pieceBytes + tagBytes;
const pieceCipher = 'chacha20-poly1305';
const streamKey = (fileKey, nonce) => Buffer.from((0,external_node_crypto_.hkdfSync)('sha256', fileKey, nonce, 'payload', 32));
/** @param index from 0 */
function pieceNonce(index, isLast) {
    const nonce = Buffer.alloc(12);
    nonce.writeUIntBE(index, 5, 6);
    nonce[11] = isLast ? 1 : 0;
    return nonce;
}
/** Bytes of what is encrypted, without the header before it. */
function sealedBytes(plain) {
    return nonceBytes + plain + tagBytes * Math.max(1, Math.ceil(plain / pieceBytes));
}

// EXTERNAL MODULE: ./build/shared/sets/ssh-wrapping.js
var ssh_wrapping = __webpack_require__(17939);
;// CONCATENATED MODULE: ./build/shared/sets/ssh-recipient.js


/** @param line a public key, `ssh-ed25519 …` or `ssh-rsa …`, as `recipientsIn` gives it */
function sshRecipient(line) {
    const [type = '', base64 = ''] = line.split(' ');
    const wire = Buffer.from(base64, 'base64');
    const [, ...fields] = (0,ssh_wrapping/* sshFields */.Oy)(wire) ?? [];
    const wrap = type === 'ssh-ed25519' ? forEd25519(wire, fields) : forRsa(wire, fields);
    return { wrapFileKey: (fileKey) => [wrap(fileKey)] };
}
function forEd25519(wire, [point = Buffer.alloc(32)]) {
    const recipient = montgomeryOf(point);
    return (fileKey) => {
        const { privateKey } = (0,external_node_crypto_.generateKeyPairSync)('x25519');
        const share = (0,ssh_wrapping/* x25519Point */.N7)(privateKey);
        const wrapping = (0,ssh_wrapping/* ed25519WrappingKey */.TH)(privateKey, { other: recipient, share, recipient, wire });
        const cipher = (0,external_node_crypto_.createCipheriv)('chacha20-poly1305', wrapping, Buffer.alloc(12), { authTagLength: 16 });
        const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
        return { args: ['ssh-ed25519', (0,ssh_wrapping/* sshTag */.tZ)(wire), (0,ssh_wrapping/* unpadded */.e0)(share)], body };
    };
}
function forRsa(wire, [e = Buffer.alloc(0), n = Buffer.alloc(0)]) {
    const number = (field) => field.subarray(field[0] === 0 ? 1 : 0).toString('base64url');
    const key = (0,external_node_crypto_.createPublicKey)({ key: { kty: 'RSA', e: number(e), n: number(n) }, format: 'jwk' });
    const settings = { oaepHash: 'sha256', oaepLabel: Buffer.from(ssh_wrapping/* wrappingLabel */.xc['ssh-rsa']) };
    return (fileKey) => ({
        args: ['ssh-rsa', (0,ssh_wrapping/* sshTag */.tZ)(wire)],
        body: (0,external_node_crypto_.publicEncrypt)({ key, padding: external_node_crypto_.constants.RSA_PKCS1_OAEP_PADDING, ...settings }, fileKey),
    });
}
const prime = 2n ** 255n - 19n;
/** The point in the form of X25519: u = (1 + y) / (1 − y). */
function montgomeryOf(point) {
    const y = BigInt(`0x${Buffer.from(point).reverse().toString('hex')}`) & (2n ** 255n - 1n);
    const u = ((1n + y) * inverse((prime + 1n - (y % prime)) % prime)) % prime;
    return Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
}
/** By Fermat: to the power of `prime - 2`. */
function inverse(number) {
    let result = 1n;
    let square = number;
    for (let power = prime - 2n; power > 0n; power >>= 1n) {
        if ((power & 1n) === 1n)
            result = (result * square) % prime;
        square = (square * square) % prime;
    }
    return result;
}

;// CONCATENATED MODULE: ./build/shared/sets/encrypt.js





/**
 * Encrypts a file on the runner, in the stream. The header, where the keys are, is for age's own library.
 * @param recipients public keys, as `recipientsIn` gives them
 */
async function encryptionFor(recipients) {
    const { header, fileKey } = await newHeader(recipients);
    const nonce = (0,external_node_crypto_.randomBytes)(nonceBytes);
    return {
        stream: new Sealing(Buffer.concat([header, nonce]), streamKey(fileKey, nonce)),
        sizeOf: (plain) => header.length + sealedBytes(plain),
    };
}
/** The library keeps the key of the file to itself, but tells it to each recipient: so one more asks for it, and adds nothing. */
async function newHeader(recipients) {
    const { Encrypter, Stanza } = await __webpack_require__.e(/* import() */ 539).then(__webpack_require__.bind(__webpack_require__, 81539));
    const encrypter = new Encrypter();
    for (const line of recipients) {
        if (line.startsWith('age1'))
            encrypter.addRecipient(line);
        else {
            const { wrapFileKey } = sshRecipient(line);
            encrypter.addRecipient({
                wrapFileKey: (key) => wrapFileKey(key).map(({ args, body }) => new Stanza(args, body)),
            });
        }
    }
    let fileKey = new Uint8Array();
    encrypter.addRecipient({
        wrapFileKey(key) {
            fileKey = Uint8Array.from(key);
            return [];
        },
    });
    const empty = Buffer.from(await encrypter.encrypt(new Uint8Array()));
    return { header: empty.subarray(0, empty.length - sealedBytes(0)), fileKey };
}
class Sealing extends external_node_stream_.Transform {
    #key;
    /** Of the piece that is being filled. */
    #piece = Buffer.allocUnsafeSlow(pieceBytes);
    #filled = 0;
    #count = 0;
    constructor(start, key) {
        super();
        this.#key = key;
        this.push(start);
    }
    _transform(chunk, _, done) {
        tellPassed(chunk.length);
        for (let at = 0; at < chunk.length;) {
            // The last piece is sealed differently, so a full one waits until more has come.
            if (this.#filled === pieceBytes)
                this.#seal(false);
            const copied = chunk.copy(this.#piece, this.#filled, at);
            this.#filled += copied;
            at += copied;
        }
        done();
    }
    _flush(done) {
        this.#seal(true);
        done();
    }
    #seal(isLast) {
        const nonce = pieceNonce(this.#count, isLast);
        const cipher = (0,external_node_crypto_.createCipheriv)(pieceCipher, this.#key, nonce, { authTagLength: tagBytes });
        this.push(cipher.update(this.#piece.subarray(0, this.#filled)));
        cipher.final();
        this.push(cipher.getAuthTag());
        this.#filled = 0;
        this.#count += 1;
    }
}

// EXTERNAL MODULE: ./build/shared/sets/manifest-text.js
var manifest_text = __webpack_require__(86287);
// EXTERNAL MODULE: ./build/shared/sets/read-manifest.js
var read_manifest = __webpack_require__(3450);
// EXTERNAL MODULE: ./build/shared/sets/sealed-manifest.js
var sealed_manifest = __webpack_require__(88166);
;// CONCATENATED MODULE: ./build/shared/offsite/set-files.js





/** Of a checksum list, which is kept in memory. */
const longestList = 65_536;
/**
 * Compares the files that the host sends with the set's checksums, as they flow. The `.sha256` list must come first, the manifest
 * last.
 * @throws Failure `copy-differs`; what the files throw
 */
async function* checkedFiles(manifest, files) {
    const seen = new Set();
    let sums = null;
    let isOver = false;
    for await (const { name, bytes, content: sent } of files) {
        const parsed = (0,naming/* parseSetFileName */.Bi)(name);
        if (parsed === null || parsed.id !== manifest.id || seen.has(name))
            throw differs(`The host sent ${name}, which is not a file of ${manifest.id}, or was sent before`);
        if (isOver)
            throw differs(`${name} came after the manifest`);
        const { part } = parsed;
        let content = sent;
        if (sums === null) {
            if (part !== 'sha256')
                throw differs(`The host sent ${name} before the list of checksums`);
            const list = await wholeContent({ name, bytes, content }, longestList);
            sums = (0,read_sets/* listedSums */.KY)(list.toString('utf8'));
            if (sums.get(manifest.file) !== manifest.sha256)
                throw differs(`${name} and the manifest disagree on ${manifest.file}`);
            content = external_node_stream_.Readable.from([list], { objectMode: false });
        }
        const expected = name === manifest.file ? manifest.sha256 : sums.get(name);
        if (expected === undefined && !['sha256', 'md5'].includes(part))
            throw differs(`The list of checksums lacks ${name}`);
        if (name === manifest.file && bytes !== manifest.sizeBytes)
            throw differs(`${name} has ${bytes} bytes, but the manifest says ${manifest.sizeBytes}`);
        isOver = part === 'manifest';
        if (isOver)
            demandAll(sums, seen, name);
        seen.add(name);
        const hash = (0,external_node_crypto_.createHash)('sha256');
        yield {
            name,
            part,
            bytes,
            content: external_node_stream_.Readable.from(compared(content, hash, name, expected), { objectMode: false }),
            sha256: () => expected ?? hash.copy().digest('hex'),
        };
    }
    if (!isOver)
        throw differs(`The host sent no manifest of ${manifest.id}`);
}
function demandAll(sums, seen, manifestName) {
    const missing = [...sums.keys()].filter((name) => name !== manifestName && !seen.has(name));
    if (missing.length > 0)
        throw differs(`The host did not send ${missing.join(', ')}`);
}
async function* compared(content, hash, name, expected) {
    for await (const chunk of content) {
        hash.update(chunk);
        yield chunk;
    }
    if (expected !== undefined && hash.copy().digest('hex') !== expected)
        throw differs(`${name} does not match its checksum`);
}
/** @throws Failure `copy-differs` if it has more bytes than that */
async function wholeContent({ name, content, bytes }, most) {
    const tooLarge = () => differs(`${name} is too large: more than ${most} bytes`);
    if (bytes > most)
        throw tooLarge();
    const chunks = [];
    let length = 0;
    for await (const chunk of content) {
        length += chunk.length;
        if (length > most)
            throw tooLarge();
        chunks.push(chunk);
    }
    return Buffer.concat(chunks);
}
function differs(what) {
    return new failure/* Failure */.HR('copy-differs', what, {
        hint: 'Let verify-action check the backups on the host (checks: backups). If one is damaged there, move its files out of the backup folder; otherwise run the backup again',
    });
}

;// CONCATENATED MODULE: ./build/shared/offsite/seal-files.js








/**
 * Encrypts the files of a plain set on their way into the bucket. Its manifest and its lists of checksums are made anew, for what
 * lies there, and come last; the manifest last of all.
 * @param files as `checkedFiles` gives them
 * @param recipients public keys, as `recipientsIn` gives them
 */
async function* sealedFiles(manifest, files, recipients) {
    const names = (0,offsite_keys/* sealedNames */.$s)(manifest);
    const sums = new Map();
    for await (const file of files) {
        if (file.part === 'sha256' || file.part === 'md5') {
            // They are those of plain files.
            for await (const _ of file.content)
                ;
        }
        else if (file.part === 'manifest') {
            const dump = sums.get(names.dump);
            if (dump === undefined)
                throw new Error(`${file.name} came without a dump`);
            const text = (await wholeContent(file, read_manifest/* longestManifest */.Ev)).toString('utf8');
            const own = textFile(names, 'manifest', textOf(text, dump));
            sums.set(names.manifest, own.tally);
            yield textFile(names, 'sha256', listOf(sums, 'sha256')).file;
            yield textFile(names, 'md5', listOf(sums, 'md5')).file;
            yield own.file;
        }
        else {
            const { stream, sizeOf } = await encryptionFor(recipients);
            // Each failure ends both: whoever reads the second hears of it.
            (0,external_node_stream_.pipeline)(file.content, stream, () => { });
            const name = names[file.part];
            const tally = new Tally();
            sums.set(name, tally);
            const content = external_node_stream_.Readable.from(tally.counting(stream), { objectMode: false });
            yield { name, part: file.part, bytes: sizeOf(file.bytes), content, sha256: () => tally.sums().sha256 };
        }
    }
}
function textOf(text, dump) {
    (0,read_manifest/* readManifest */.WI)(text);
    return (0,manifest_text/* manifestText */.$)((0,sealed_manifest/* sealManifest */.D)(JSON.parse(text), dump.sums()));
}
/** In the format that `sha256sum --check` reads. */
function listOf(sums, kind) {
    return [...sums].map(([name, tally]) => `${tally.sums()[kind]}  ${name}\n`).join('');
}
function textFile(names, part, text) {
    const bytes = Buffer.from(text);
    const tally = new Tally().add(bytes);
    const content = external_node_stream_.Readable.from([bytes], { objectMode: false });
    return { file: { name: names[part], part, bytes: bytes.length, content, sha256: () => tally.sums().sha256 }, tally };
}
/** Size and checksums of a file, taken while it flows. */
class Tally {
    #sha256 = (0,external_node_crypto_.createHash)('sha256');
    #md5 = (0,external_node_crypto_.createHash)('md5');
    #bytes = 0;
    add(chunk) {
        this.#sha256.update(chunk);
        this.#md5.update(chunk);
        this.#bytes += chunk.length;
        return this;
    }
    async *counting(content) {
        for await (const chunk of content) {
            this.add(chunk);
            yield chunk;
        }
    }
    sums() {
        const hex = (hash) => hash.copy().digest('hex');
        return { sizeBytes: this.#bytes, sha256: hex(this.#sha256), md5: hex(this.#md5) };
    }
}

;// CONCATENATED MODULE: ./build/shared/offsite/copy-set.js








/**
 * Copies a set. Its `.sha256` list must come first, its manifest last: without that, the set does not exist in the bucket. An
 * earlier copy of the set is replaced, unless another backup folder made it. A file whose bytes differ from its checksum is never
 * completed in the bucket; what was copied of a set that fails is removed again, as far as the store still answers.
 * @throws Failure `copy-differs`, `copy-not-ours`, `bucket-unusable`; what the files throw; the signal's reason
 */
async function copySet(store, target, files, tell) {
    const { manifest, sealTo } = target;
    const folder = (0,offsite_keys/* folderOf */.yS)(target.prefix, target.environment, manifest.id);
    const copied = [];
    const checked = checkedFiles(manifest, files);
    const outgoing = (0,offsite_keys/* isSealedOnTheWay */.OV)(manifest, sealTo) ? sealedFiles(manifest, checked, sealTo) : checked;
    const written = [];
    try {
        for await (const { name, part, bytes, content, sha256 } of outgoing) {
            if (copied.length === 0)
                await makeRoom(store, target);
            tell.begins(name, bytes);
            const key = `${folder}${name}`;
            const properties = {
                ...(target.tags && { tags: target.tags }),
                ...(part === 'manifest' && { metadata: metadataOf(target.folderIds), isIndex: true }),
            };
            const { parts } = await store.write(key, content, bytes, (arrived) => tell.arrived(arrived), properties);
            written.push(key);
            const known = sha256();
            const confirmation = await copy_set_confirm(store, key, { bytes, sha256: known, parts });
            tell.confirmed(name, confirmation);
            copied.push({ name, key, bytes, sha256: known, confirmation });
        }
    }
    catch (error) {
        // If this fails as well, the next run may do it: see `keepOffsite`.
        await store.remove(written).catch(() => { });
        throw error;
    }
    const bytes = copied.reduce((sum, file) => sum + file.bytes, 0);
    return { id: manifest.id, uri: store.uri((0,offsite_keys/* keyOfDump */.Zp)(target, manifest)), bytes, files: copied };
}
/** Compares what lies in the bucket with what was sent; removes it if it is something else. */
async function copy_set_confirm(store, key, { bytes, sha256, parts }) {
    const facts = await store.facts(key);
    const wrong = async (what) => {
        const [removal] = await store.remove([key]);
        const left = removal?.outcome === 'deleted' ? '' : `, and could not be deleted: ${removal?.reason}`;
        return differs(`${store.uri(key)} ${what}${left}`);
    };
    if (facts === null)
        throw differs(`${store.uri(key)} is not there, although the store took it`);
    if (facts.bytes !== bytes)
        throw await wrong(`has ${facts.bytes} bytes instead of ${bytes}`);
    const isOther = (facts.sha256 !== null && facts.sha256 !== sha256) ||
        (facts.compositeSha256 !== null && facts.compositeSha256 !== compositeOf(parts));
    if (isOther)
        throw await wrong('has another checksum than what was sent');
    if (facts.sha256 !== null || facts.compositeSha256 !== null)
        return 'reported';
    const stored = await store.read(key);
    if (stored === null)
        throw differs(`${store.uri(key)} is not there, although the store took it`);
    const hash = (0,external_node_crypto_.createHash)('sha256');
    for await (const chunk of stored.content)
        hash.update(chunk);
    if (hash.digest('hex') !== sha256)
        throw await wrong('holds other bytes than were sent');
    return 'read-back';
}
/** While the files are replaced, the set must not look complete. Nothing plain may stay beside what is encrypted. */
async function makeRoom(store, { prefix, environment, folderIds, manifest, sealTo }) {
    const folder = (0,offsite_keys/* folderOf */.yS)(prefix, environment, manifest.id);
    const { dump, schema, globals, settings, report, manifest: first } = (0,read_sets/* namesOf */.eZ)({ manifest });
    await demandOurs(store, `${folder}${first}`, folderIds);
    const plain = (0,offsite_keys/* isSealedOnTheWay */.OV)(manifest, sealTo) ? [dump, schema, globals, settings, report] : [];
    const keys = [first, ...plain].map((name) => `${folder}${name}`);
    const failed = (await store.remove(keys)).find(({ outcome }) => outcome === 'failed');
    if (failed === undefined)
        return;
    throw new failure/* Failure */.HR('bucket-unusable', `An earlier copy cannot be replaced: ${failed.reason}`, {
        ...(failed.hint !== null && { hint: failed.hint }),
    });
}
/** Two hosts may take a backup in the same second. @throws Failure `copy-not-ours` */
async function demandOurs(store, key, folderIds) {
    const noted = folderIdIn((await store.facts(key))?.metadata ?? {});
    if (isOurs(noted, folderIds))
        return;
    throw new failure/* Failure */.HR('copy-not-ours', `${store.uri(key)} is of another backup folder (${noted}): its copy was left as it is`, { hint: 'Give this host an "s3-prefix" of its own' });
}

// EXTERNAL MODULE: ./build/shared/by-text.js
var by_text = __webpack_require__(14295);
// EXTERNAL MODULE: ./build/shared/sets/catalogue.js
var catalogue = __webpack_require__(43373);
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
    const { complete, missing } = plan_copies_compared(onHost, stored, rules);
    const kept = new Set(decide([...complete, ...missing], rules)
        .filter(({ keep }) => keep)
        .map(({ id }) => id));
    return missing
        .filter(({ id }) => id === newest || kept.has(id))
        .toSorted((a, b) => Number(b.id === newest) - Number(a.id === newest) || (0,catalogue/* newestFirst */.ll)(a.id, b.id))
        .slice(0, most);
}
/** In which tier the bucket will keep this set of the host for longest: not the host's own, which has another policy. */
function offsiteTierOf(set, onHost, stored, rules) {
    const { complete, missing } = plan_copies_compared(onHost, stored, rules);
    return decide([...complete, ...missing], rules).find(({ id }) => id === set.id)?.tier ?? 'daily';
}
/** What the bucket has in full, and what it lacks. */
function plan_copies_compared(onHost, stored, rules) {
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
    return stored.filter((set) => set.database === database && isOurs(set.folderId, folderIds));
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

// EXTERNAL MODULE: external "node:stream/consumers"
var consumers_ = __webpack_require__(38321);
// EXTERNAL MODULE: ./build/shared/clean.js
var clean = __webpack_require__(3581);
// EXTERNAL MODULE: ./build/shared/reaching.js
var reaching = __webpack_require__(59859);
;// CONCATENATED MODULE: ./build/shared/offsite/bucket-failure.js



/** @param what happened, as the beginning of a sentence: `"bucket" at S3 cannot be listed` */
function bucketFailure(what, error, facts) {
    if (error instanceof failure/* Failure */.HR)
        return error;
    const reason = wordsOf(error);
    const Kind = ofOneObject.test(codeOf(error).code) ? ObjectFailure : failure/* Failure */.HR;
    return new Kind('bucket-unusable', `${what}: ${reason}`, { hint: remedyFor(reason, facts) });
}
/** The store refuses one object, and may give all others: it has archived this one, or its own key is gone or disabled. */
class ObjectFailure extends failure/* Failure */.HR {
}
const ofOneObject = /^(InvalidObjectState$|KMS\.)/;
/** The store's own code and words, or those of the library, in one line. */
function wordsOf(error) {
    const { status, code } = codeOf(error);
    const isPage = isWebPage(error);
    // The answer comes from a proxy or another server, so what the login may do does not matter.
    if (status !== null && isPage && status < 500 && status !== 413)
        return `a web page came as the answer (HTTP ${status})`;
    // The answer to HEAD has no body: its status is all there is.
    if (status !== null && (isPage || /^(Unknown(Error)?|\d{3})?$/.test(code)))
        return `${wordForStatus[status] ?? 'HTTP'} (HTTP ${status})`;
    return (0,clean/* cleanLine */.Ow)((0,reaching/* reasonOf */.A)(error), 500);
}
/** Whether the library could not read the body, which then is no answer of a store. */
function isWebPage(error) {
    return error instanceof Error && /XML parse error/.test(error.message);
}
const wordForStatus = {
    400: 'BadRequest',
    403: 'Forbidden',
    404: 'NotFound',
    412: 'PreconditionFailed',
    413: 'EntityTooLarge',
    429: 'TooManyRequests',
    500: 'InternalError',
    501: 'NotImplemented',
    502: 'BadGateway',
    503: 'ServiceUnavailable',
    504: 'GatewayTimeout',
};
/** The HTTP status of the answer, if there was one, and the name of the error. */
function codeOf(error) {
    if (!(error instanceof Error))
        return { status: null, code: '' };
    const { $metadata } = error;
    return { status: $metadata?.httpStatusCode ?? null, code: error.name };
}
function remedyFor(reason, facts) {
    const found = remedies.find(([said]) => said.test(reason))?.[1];
    if (found === undefined)
        return usualRemedy;
    return typeof found === 'string' ? found : found(reason, facts);
}
const login = 'Run aws-actions/configure-aws-credentials before this step, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
/** Advice by the words of the store, or of AWS's library. The first that fits holds. */
const remedies = [
    [
        /\bsts:|AssumeRole|^(ExpiredTokenException|IDPCommunicationError|InvalidIdentityToken)/,
        'Make the role trust this repository and branch, and give the job permissions: id-token: write',
    ],
    [/^Region is missing/, 'Give "s3-region", or set AWS_REGION in the job'],
    [
        /^ExpiredToken\b/,
        'The login has expired: run aws-actions/configure-aws-credentials right before this step, and give it a longer role-duration-seconds if the copy takes long',
    ],
    [/^(CredentialsProviderError|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch|TokenRefreshRequired)\b/, login],
    [/^(NoSuchBucket|NotFound)\b/, 'Correct "s3-bucket" or "s3-endpoint", or create the bucket'],
    // We never ask for an object that must exist, so the store has taken the name of the bucket for that of an object.
    [/^NoSuchKey\b/, 'Give "s3-endpoint" without the name of the bucket, neither in front of its host nor behind it'],
    [
        /^EntityTooLarge\b/,
        'Let the proxy in front of the store accept requests of 64 MiB (nginx: client_max_body_size), or correct "s3-endpoint"',
    ],
    [
        /^(BadDigest|XAmzContent(SHA256|Checksum)Mismatch)\b/,
        'Run it again: the next run copies what is missing. If it happens again, find what changes the bytes on their way: a proxy, or memory of the runner',
    ],
    [/^NoSuchUpload\b/, 'Somebody else ended this upload, such as a lifecycle rule of the bucket. Run it again'],
    [/^(\w*Redirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)\b/, 'Correct "s3-region"'],
    [/^KMS\.|kms:/i, 'Correct "s3-kms-key", and grant that login kms:GenerateDataKey and kms:Decrypt on the key'],
    [/^InvalidStorageClass\b/, 'Clear "s3-storage-class": this store does not have it'],
    [
        /^InvalidObjectState\b/,
        'The store has archived it: bring it back there first (aws s3api restore-object), or name another backup',
    ],
    [/^InvalidTag\b/, 'Correct "s3-tags"'],
    [/[Pp]art ?[Nn]umber|too many parts/i, 'Give "s3-max-parts" the number of parts that this store allows'],
    [
        /^(AccessDenied|Forbidden|AllAccessDisabled|AccountProblem)\b/,
        (_, { rights }) => `Grant that login ${rights.join(' and ')} on the bucket`,
    ],
    [/^RequestTimeTooSkewed\b/, "Correct the runner's clock"],
    [
        /^(NotImplemented|InvalidArgument|InvalidRequest|BadRequest|InvalidEncryptionAlgorithmError|MalformedXML)\b/,
        clearInputs,
    ],
    [
        /^(QuotaExceeded|InsufficientStorage|XMinioStorageFull|StorageLimitExceeded|storage_cap_exceeded)/i,
        'Make room in the store, or raise its limit',
    ],
    [
        /^(SlowDown|Throttling\w*|TooManyRequests\w*|RequestLimitExceeded|InternalError|InternalServerError|ServiceUnavailable|BadGateway|GatewayTimeout)\b/,
        'The store is overloaded or down: check its status page, and run this again later. The next run copies what is missing',
    ],
    [
        /^Failed to establish tunnel\b/,
        'Let the proxy of the runner (HTTPS_PROXY) allow it, with a login if it needs one, or name the host of the store in NO_PROXY',
    ],
    [
        /certificate|self-signed|CERT_/i,
        'Give the certificate of its authority to the job in NODE_EXTRA_CA_CERTS, or correct "s3-endpoint"',
    ],
    [
        /ECONNRESET|EPIPE|ETIMEDOUT|TimeoutError|RequestTimeout|socket hang up|aborted|IncompleteBody|premature/i,
        'Run it again: the next run copies what is missing. If it happens again, check the network between runner and store',
    ],
];
const usualRemedy = 'Correct "s3-endpoint" or "s3-region", and check that the network of the runner allows the connection';
/** What the words themselves name, else all that was sent and need not be. */
function clearInputs(reason, { inputs = [] }) {
    const named = inputWords
        .filter(([input, said]) => inputs.includes(input) && said.test(reason))
        .map(([input]) => input);
    const guilty = named.length > 0 ? named : inputs;
    if (guilty.length === 0)
        return 'This store does not support that request. Compare it with the table in docs/offsite.md';
    const list = guilty.map((input) => `"${input}"`).join(' and ');
    return `Clear ${list}: this store does not take ${guilty.length === 1 ? 'it' : 'them'}`;
}
const inputWords = [
    ['s3-tags', /tag/i],
    ['s3-storage-class', /storage.?class/i],
    ['s3-kms-key', /kms/i],
    ['s3-sse', /encrypt|sse/i],
];

;// CONCATENATED MODULE: ./build/shared/offsite/stored-sets.js









/** How many manifests to read at one time. */
const atOnce = 8;
/** The sets of an environment in the bucket that have a manifest of ours, newest first. */
async function storedSets(store, prefix, environment) {
    return (await contentsOf(store, prefix, environment)).sets;
}
async function contentsOf(store, prefix, environment) {
    const found = new Map();
    for await (const { key, bytes } of store.list(`${prefix}/${environment}/`)) {
        const file = (0,offsite_keys/* setFileAt */.ye)(prefix, environment, key);
        if (file === null)
            continue;
        found.set(file.id, [...(found.get(file.id) ?? []), { name: file.name, key, bytes }]);
    }
    const contents = { sets: [], parts: [] };
    const all = [...found].toSorted(([a], [b]) => (0,catalogue/* newestFirst */.ll)(a, b));
    for (let at = 0; at < all.length; at += atOnce) {
        const portion = all.slice(at, at + atOnce);
        const read = portion.map(([id, files]) => storedSet(store, environment, id, files));
        for (const set of await Promise.all(read)) {
            if ('state' in set)
                contents.parts.push(set);
            else
                contents.sets.push(set);
        }
    }
    return contents;
}
/** The set; or why these files are none. */
async function storedSet(store, environment, id, files) {
    const file = files.find(({ name }) => (0,naming/* parseSetFileName */.Bi)(name)?.part === 'manifest');
    const part = (state, why) => ({ id, files, state, why });
    const foreign = (why) => part('foreign', why);
    if (file === undefined)
        return part('no-manifest', 'it has no manifest');
    if (file.bytes > read_manifest/* longestManifest */.Ev)
        return foreign('its manifest is too large to be one of ours');
    const stored = await store.read(file.key).catch((error) => {
        if (error instanceof ObjectFailure)
            return error;
        throw error;
    });
    if (stored === null)
        return foreign('its manifest was deleted just now');
    if (stored instanceof ObjectFailure)
        return part('unread', `its manifest cannot be read. ${stored.message}`);
    const manifest = summaryOf(await (0,consumers_.text)(stored.content));
    if (manifest === null)
        return foreign('its manifest is none of ours, or damaged');
    if (manifest.id !== id || manifest.environment !== environment)
        return foreign('its manifest is that of another backup');
    const faults = faultsOf(manifest, files);
    const folderId = folderIdIn(stored.metadata);
    return { id, database: manifest.database, manifest, folderId, files, isComplete: faults.length === 0, faults };
}
function summaryOf(json) {
    try {
        return (0,read_manifest/* readSummary */.L_)(json);
    }
    catch (error) {
        if ((0,failure/* isFailure */.N6)(error))
            return null;
        throw error;
    }
}
/** What is missing or has another size than the manifest says. */
function faultsOf(manifest, files) {
    const { id, database } = manifest;
    const names = (0,read_sets/* namesOf */.eZ)({ manifest });
    const sides = (0,read_sets/* sidesOf */.Mm)({ state: 'verified', id, database, manifest, folders: [] });
    const wanted = [
        names.dump,
        ...sides.map((side) => names[side]),
        names.report,
        names.sha256,
        names.md5,
        names.manifest,
    ];
    return wanted.flatMap((name) => {
        const file = files.find((each) => each.name === name);
        if (file === undefined)
            return [`${name} is missing`];
        if (file.bytes === 0)
            return [`${name} is empty`];
        if (name === names.dump && file.bytes !== manifest.sizeBytes) {
            return [`${name} has ${file.bytes} bytes, but its manifest says ${manifest.sizeBytes}`];
        }
        return [];
    });
}

;// CONCATENATED MODULE: ./build/shared/offsite/keep-offsite.js








/** Removes what interrupted runs left, copies what is missing, and deletes what is no longer to be kept. */
async function keepOffsite(store, request) {
    const outcome = {
        copied: [],
        deleted: [],
        retained: [],
        plain: [],
        unread: [],
        others: null,
        problems: [],
    };
    const { prefix, environment, folderIds, signal, newest } = request;
    const noting = async (work) => {
        try {
            await work();
        }
        catch (error) {
            signal.throwIfAborted();
            if (!(0,failure/* isFailure */.N6)(error))
                throw error;
            outcome.problems.push(error);
        }
    };
    await noting(async () => {
        const { sets: stored, parts } = await contentsOf(store, prefix, environment);
        outcome.unread = parts.filter(({ state }) => state === 'unread');
        await noting(() => abortUnfinished(store, request, stored));
        await noting(() => removeRemains(store, request, stored, parts));
        outcome.others = othersIn(stored, request);
        const ours = stored.filter((set) => isOurs(set.folderId, folderIds));
        if (request.sealTo.length > 0)
            outcome.plain = ours.filter(isPlain).map(({ id }) => id);
        // As far as anybody can tell, these sets are there: they are not copied again.
        const sets = request.sets.filter(({ id }) => !outcome.unread.some((part) => part.id === id));
        for (const set of planCopies(sets, stored, newest, request.most, request)) {
            const before = outcome.problems.length;
            const tier = offsiteTierOf(set, sets, stored, request);
            await noting(() => copyOne(store, request, set, tier, outcome));
            // Where the bucket fails, the others would fail as well; a damaged file on the host, or a copy in the way, is that set's alone.
            if (outcome.problems.slice(before).some((problem) => !(0,failure/* isFailure */.N6)(problem, 'copy-differs', 'copy-not-ours')))
                break;
        }
    });
    if (request.mayDelete && outcome.problems.length === 0)
        await noting(() => prune(store, request, outcome, noting));
    return outcome;
}
/** Whether another backup folder copies to the same place. */
const isShared = (stored, folderIds) => stored.some((set) => !isOurs(set.folderId, folderIds));
/** Nothing tells whose an upload is: where another backup folder copies to, it is ours only if the host has that set. */
async function abortUnfinished(store, { prefix, environment, folderIds, sets }, stored) {
    const shared = isShared(stored, folderIds);
    for await (const upload of store.unfinished(`${prefix}/${environment}/`)) {
        const file = (0,offsite_keys/* setFileAt */.ye)(prefix, environment, upload.key);
        if (file !== null && (!shared || sets.some(({ id }) => id === file.id)))
            await store.abort(upload);
    }
}
/**
 * A copy that was cut off has no manifest. Removing it is only sure to lose nothing if the host still has that set. If another backup
 * folder copies to the same place, it may be that folder's upload, still under way. Locked files stay.
 */
async function removeRemains(store, { sets, folderIds }, stored, parts) {
    if (isShared(stored, folderIds))
        return;
    const remains = parts.filter(({ state, id }) => state === 'no-manifest' && sets.some((set) => set.id === id));
    for (const { id, files } of remains)
        demandRemoved(id, await store.remove(files.map(({ key }) => key)));
}
function demandRemoved(id, removals) {
    const failed = removals.find(({ outcome }) => outcome === 'failed');
    if (failed === undefined)
        return;
    throw new failure/* Failure */.HR('bucket-unusable', `The copy of ${id} cannot be deleted: ${failed.reason}`, {
        ...(failed.hint !== null && { hint: failed.hint }),
    });
}
/** A lock may have kept the plain dump beside the encrypted one. */
const isPlain = ({ manifest, files }) => manifest.encryption === 'none' ||
    files.some(({ name }) => (0,naming/* parseSetFileName */.Bi)(name)?.part === 'dump' && !name.endsWith('.age'));
async function copyOne(store, { prefix, environment, folderIds, sealTo, read, timeout, listener, tagsOf, onCopied }, set, tier, outcome) {
    const tags = tagsOf === undefined ? {} : { tags: tagsOf(set, tier) };
    const target = { prefix, environment, folderIds, sealTo, manifest: set.manifest, ...tags };
    const begun = performance.now();
    const copy = await copySet(store, target, read(set), listener(set)).catch((error) => {
        // The host was only waiting: it sends as fast as the store takes it.
        if (!(0,failure/* isFailure */.N6)(error, 'deadline', 'host-silent') || performance.now() - begun < timeout)
            throw error;
        throw new failure/* Failure */.HR('deadline', `Copying ${set.id} to the bucket took longer than ${(0,units/* formatDuration */.a3)(timeout)}`, {
            hint: 'Raise "timeout", or find out what slows down the connection to the store',
            cause: error,
        });
    });
    outcome.copied.push(copy);
    await onCopied?.(copy);
}
/** @param noting what fails for one set, and goes on with the next */
async function prune(store, request, outcome, noting) {
    const stored = await storedSets(store, request.prefix, request.environment);
    for (const { id, keep } of planOffsitePruning(stored, request)) {
        const set = stored.find((each) => each.id === id);
        if (keep || set === undefined)
            continue;
        await noting(async () => {
            const fate = await removeSet(store, set);
            outcome[fate].push(id);
        });
    }
}
/**
 * All of a set, or nothing: where one file is locked, the others stay beside it. The manifest goes last: without it, what is left of
 * a deletion that was broken off would be nobody's, and stay for ever.
 */
async function removeSet(store, { files, id }) {
    const { manifests = [], others = [] } = Object.groupBy(files, ({ name }) => (0,naming/* parseSetFileName */.Bi)(name)?.part === 'manifest' ? 'manifests' : 'others');
    const keysOf = (some) => some.map(({ key }) => key);
    const facts = await Promise.all(files.map(({ key }) => store.facts(key)));
    if (facts.some((each) => each?.lockedUntil))
        return 'retained';
    const first = await store.remove(keysOf(others));
    const removals = first.every(({ outcome }) => outcome === 'deleted')
        ? [...first, ...(await store.remove(keysOf(manifests)))]
        : first;
    demandRemoved(id, removals);
    return removals.some(({ outcome }) => outcome === 'retained') ? 'retained' : 'deleted';
}

;// CONCATENATED MODULE: ./build/shared/offsite/bucket-place.js
/** For people: `"bucket" at s3.example.com`. */
function nameOf({ bucket, endpoint }) {
    return `"${bucket}" at ${endpoint?.host ?? 'S3'}`;
}

;// CONCATENATED MODULE: ./build/shared/offsite/part-size.js


const mebibyte = 2 ** 20;
/** No part may be larger. */
const largestPart = 64 * mebibyte;
/** S3 takes no less than 5 MiB. A larger part costs the store less, and more memory here. Below this, an object is sent at once. */
const usualPart = 8 * mebibyte;
/** With fewer, the store waits for the next part; with more, each part takes longer. */
const mostAtOnce = 3;
/** For the parts of a dump of up to 78 GiB. Of a larger one, two at one time still have to fit. */
const usualMemory = 24 * mebibyte;
/** S3's own limit. */
const mostParts = 10_000;
/**
 * How to cut an object of this size.
 * @param maxParts how many parts the store allows
 * @throws Failure `bucket-unusable` if it does not fit
 */
function planParts(name, bytes, maxParts = mostParts) {
    const needed = Math.ceil(Math.ceil(bytes / maxParts) / mebibyte) * mebibyte;
    const partBytes = Math.max(usualPart, needed);
    if (partBytes > largestPart) {
        throw new failure/* Failure */.HR('bucket-unusable', `${name} has ${(0,units/* formatBytes */.z3)(bytes)}, but ${(0,units/* counted */.hS)(maxParts, 'part')} of at most ${(0,units/* formatBytes */.z3)(largestPart)} hold only ${(0,units/* formatBytes */.z3)(maxParts * largestPart)}`, { hint: 'Raise "s3-max-parts" if the store allows more parts, or copy this backup by other means' });
    }
    const atOnce = Math.min(mostAtOnce, Math.max(2, Math.floor(usualMemory / partBytes)));
    return { partBytes, inMemory: Math.min(atOnce, Math.floor(largestPart / partBytes)) };
}

;// CONCATENATED MODULE: ./build/shared/offsite/retries.js

/** Milliseconds before the second try, twice as many before each further one. */
const firstPause = 1_000;
/** The same where nothing has answered yet: the address is more likely wrong than the store away. */
const firstPauseUnanswered = 50;
const longestPause = 20_000;
/**
 * When the library sends a request again. Its own way gives a store that fails with 500 up after some six seconds, and after some
 * dozens of failures in all: a store that restarts would cost a copy of hours.
 */
class Retries {
    #attempts;
    #hasAnswered = false;
    /** @param attempts how often one request is sent at most */
    constructor(attempts) {
        this.#attempts = attempts;
    }
    async acquireInitialRetryToken() {
        return tries(0, 0);
    }
    async refreshRetryTokenForRetry(before, { errorType, error, retryAfterHint }) {
        if (codeOf(error).status !== null)
            this.#hasAnswered = true;
        const count = before.getRetryCount();
        const passes = errorType === 'TRANSIENT' || errorType === 'THROTTLING';
        // The library then throws what the request failed with.
        if (!passes || count + 1 >= this.#attempts)
            throw new Error('It is not tried again');
        const first = this.#hasAnswered ? firstPause : firstPauseUnanswered;
        const pause = Math.min(first * 2 ** count, longestPause);
        const asked = Math.min((retryAfterHint?.getTime() ?? 0) - Date.now(), longestPause);
        // Not all parts at the same moment.
        return tries(count + 1, Math.max(asked, (pause * (1 + Math.random())) / 2));
    }
    recordSuccess() {
        this.#hasAnswered = true;
    }
}
const tries = (count, delay) => ({ getRetryCount: () => count, getRetryDelay: () => delay });

;// CONCATENATED MODULE: ./build/shared/offsite/s3-client.js


/** The runner's variables that name a proxy. */
const proxyVariables = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'];
/** The variables from which AWS's library takes an address, past every check of the input: it need not even be https. */
const endpointVariables = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'];
/** A client with AWS's standard chain for the login, which goes through the proxy of the runner if there is one. */
async function makeClient(place, { attempts, silence = 0 }) {
    const [{ S3Client }, http, https] = await Promise.all([
        __webpack_require__.e(/* import() */ 711).then(__webpack_require__.t.bind(__webpack_require__, 53711, 19)),
        Promise.resolve(/* import() */).then(__webpack_require__.t.bind(__webpack_require__, 37067, 19)),
        Promise.resolve(/* import() */).then(__webpack_require__.t.bind(__webpack_require__, 44708, 19)),
    ]);
    demandProxyCapableNode();
    const { endpoint } = place;
    if (endpoint === null)
        demandNoHiddenEndpoint();
    // AWS's library ignores these variables; the agents of Node obey them, NO_PROXY among them, if they are handed in.
    const connections = { keepAlive: true, maxSockets: 50, proxyEnv: process.env };
    return new S3Client({
        ...(endpoint === null ? {} : { endpoint: endpoint.href, forcePathStyle: true }),
        // A profile of the runner may name an address as well, which nobody has checked.
        ignoreConfiguredEndpointUrls: true,
        ...regionOf(place),
        maxAttempts: attempts,
        retryStrategy: new Retries(attempts),
        // Not every store knows these headers; where one is wanted, the request has it.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
        expectContinueHeader: false,
        requestHandler: {
            connectionTimeout: 10_000,
            socketTimeout: silence,
            httpAgent: new http.Agent(connections),
            httpsAgent: new https.Agent(connections),
        },
    });
}
/** On AWS, the library finds the one that is not given. A private store has none, but the signature needs one. */
function regionOf({ region, endpoint }) {
    if (region !== null)
        return { region };
    return endpoint === null ? {} : { region: process.env['AWS_REGION'] || 'us-east-1' };
}
/** Node learned of proxies in 24.5; before that, the copy would silently go past the proxy, or hang. */
function demandProxyCapableNode() {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    if (major > 24 || (major === 24 && minor >= 5))
        return;
    const given = proxyVariables.find((name) => (process.env[name] ?? '') !== '');
    if (given === undefined)
        return;
    throw new failure/* Failure */.HR('bucket-unusable', `Node ${process.versions.node} cannot use the proxy that ${given} names`, {
        hint: 'Update the runner, so that it has Node 24.5 or newer',
    });
}
function demandNoHiddenEndpoint() {
    const given = endpointVariables.find((name) => (process.env[name] ?? '') !== '');
    if (given === undefined)
        return;
    throw new failure/* Failure */.HR('bucket-unusable', `${given} is set, but "s3-endpoint" was not given`, {
        hint: `Give the address as "s3-endpoint", and remove ${given} from the job`,
    });
}

;// CONCATENATED MODULE: ./build/shared/offsite/send-parts.js


/**
 * Cuts a stream into parts and sends several at one time. Each may be sent again, because it stays in memory until `send` has
 * ended. Reads no further than the parts in memory allow.
 * @param send given up by its signal as soon as anything fails
 * @returns SHA-256 of each part, in order, once all have been sent
 * @throws what the stream or the first failed `send` threw, after all others have ended
 */
async function sendParts(content, bytes, plan, send) {
    const sums = [];
    const free = [];
    const sending = new Set();
    const giveUp = new AbortController();
    let made = 0;
    let failure = null;
    const fail = (error) => {
        failure ??= { error };
        giveUp.abort();
        // Ends the wait for the next bytes, which may never come.
        content.destroy();
    };
    const buffer = async () => {
        while (failure === null && free.length === 0 && made >= plan.inMemory)
            await Promise.race(sending);
        if (free.length === 0)
            made += 1;
        return free.pop() ?? Buffer.allocUnsafeSlow(Math.min(plan.partBytes, Math.max(bytes, 1)));
    };
    const begin = (whole, length) => {
        const body = whole.subarray(0, length);
        const sha256 = (0,external_node_crypto_.createHash)('sha256').update(body).digest('hex');
        const part = { number: sums.push(sha256), body, sha256 };
        const transfer = send(part, giveUp.signal)
            .then(() => void free.push(whole), fail)
            .finally(() => sending.delete(transfer));
        sending.add(transfer);
    };
    try {
        let filling = null;
        let filled = 0;
        let arrived = 0;
        for await (const chunk of content) {
            arrived += chunk.length;
            if (arrived > bytes)
                throw wrongLength(bytes, 'more came');
            for (let at = 0; at < chunk.length;) {
                filling ??= await buffer();
                if (failure !== null)
                    break;
                const copied = chunk.copy(filling, filled, at);
                at += copied;
                filled += copied;
                if (filled < filling.length)
                    continue;
                begin(filling, filled);
                [filling, filled] = [null, 0];
            }
            if (failure !== null)
                break;
        }
        if (failure === null && arrived < bytes)
            throw wrongLength(bytes, `it ended after ${arrived}`);
        if (failure === null && (filled > 0 || sums.length === 0))
            begin(filling ?? Buffer.alloc(0), filled);
    }
    catch (error) {
        fail(error);
    }
    await Promise.all(sending);
    if (failure !== null)
        throw failure.error;
    return sums;
}
function wrongLength(bytes, what) {
    return new failure/* Failure */.HR('copy-differs', `The host announced ${bytes} bytes, but ${what}`, {
        hint: 'Nothing of it is kept in the bucket. Run it again; if it happens again, verify the backups on the host',
    });
}

;// CONCATENATED MODULE: ./build/shared/offsite/s3-upload.js







/** Storage classes from which an object has to be brought back before it can be read. */
const archives = new Set(['GLACIER', 'DEEP_ARCHIVE']);
/** For what has to be tidied away although the run was cancelled: milliseconds. */
const tidyingTime = 20_000;
/** Sends one object. An object of one part is sent at once, any other in parts. */
class S3Upload {
    #client;
    #s3;
    #to;
    #object;
    #facts;
    /** Of the new object; sent once, when it is made. */
    #properties;
    constructor(client, s3, to) {
        this.#client = client;
        this.#s3 = s3;
        this.#to = to;
        this.#object = { Bucket: to.place.bucket, Key: to.key };
        const { storageClass, sse, kmsKey, tags } = to.place;
        const { tags: more, metadata, isIndex } = to.properties;
        const tagging = tags == null ? '' : new URLSearchParams({ ...tags, ...more }).toString();
        const settings = [
            ['s3-storage-class', 'StorageClass', isIndex && archives.has(storageClass ?? '') ? null : storageClass],
            ['s3-sse', 'ServerSideEncryption', sse],
            ['s3-kms-key', 'SSEKMSKeyId', kmsKey],
            ['s3-tags', 'Tagging', tagging === '' ? null : tagging],
        ];
        const set = settings.flatMap(([input, property, value]) => (value == null ? [] : [{ input, property, value }]));
        this.#properties = {
            ...Object.fromEntries(set.map(({ property, value }) => [property, value])),
            ...(metadata && { Metadata: metadata }),
        };
        this.#facts = {
            rights: ['s3:PutObject', ...(tagging === '' ? [] : ['s3:PutObjectTagging'])],
            inputs: set.map(({ input }) => input),
        };
    }
    /** @param checksums whether the store takes the headers for them; set to false when it is found that it does not */
    async send(content, bytes, plan, onBytes, checksums) {
        try {
            if (bytes > plan.partBytes)
                return await this.#inParts(content, bytes, plan, onBytes, checksums);
            const atOnce = { partBytes: plan.partBytes, inMemory: 1 };
            // A full buffer is sent before the stream is known to end there: the object may only be made once it has ended well.
            let whole = null;
            const parts = await sendParts(content, bytes, atOnce, async (part) => {
                whole = part;
            });
            if (whole !== null)
                await this.#atOnce(whole, checksums);
            onBytes(bytes);
            return { parts };
        }
        catch (error) {
            this.#to.signal.throwIfAborted();
            throw error;
        }
    }
    async #atOnce(part, checksums) {
        await this.#asking(checksums, async (checksum) => {
            const command = new this.#s3.PutObjectCommand({
                ...this.#object,
                ...this.#properties,
                Body: part.body,
                // A bucket whose rule locks every object demands it, where the store knows no other checksum.
                ContentMD5: (0,external_node_crypto_.createHash)('md5').update(part.body).digest('base64'),
                ...(checksum ? checksumOf(part) : {}),
            });
            signWith(command, part);
            sendInSlices(command, part);
            await this.#client.send(command, { abortSignal: this.#to.signal });
        });
    }
    async #inParts(content, bytes, plan, onBytes, checksums) {
        const UploadId = await this.#asking(checksums, (checksum) => this.#begin(checksum));
        try {
            const done = [];
            const parts = await sendParts(content, bytes, plan, async (part, giveUp) => {
                done[part.number - 1] = await this.#sendPart(part, UploadId, AbortSignal.any([giveUp, this.#to.signal]), checksums);
                onBytes(part.body.length);
            });
            this.#to.signal.throwIfAborted();
            await this.#complete(UploadId, done, { bytes, parts });
            return { parts };
        }
        catch (error) {
            const left = await this.#giveUp(UploadId);
            if (left !== null && error instanceof Error)
                error.message += `. Its parts could not be removed: ${left}`;
            throw error;
        }
    }
    async #begin(checksum) {
        const { UploadId } = await this.#client.send(new this.#s3.CreateMultipartUploadCommand({
            ...this.#object,
            ...this.#properties,
            ...(checksum ? { ChecksumAlgorithm: 'SHA256' } : {}),
        }), { abortSignal: this.#to.signal });
        if (UploadId === undefined)
            throw new Error('the store did not name the upload that it began');
        return UploadId;
    }
    async #sendPart(part, UploadId, abortSignal, checksums) {
        const PartNumber = part.number;
        const checksum = checksums.sends ? checksumOf(part) : {};
        const command = new this.#s3.UploadPartCommand({
            ...this.#object,
            UploadId,
            PartNumber,
            Body: part.body,
            ...checksum,
        });
        signWith(command, part);
        sendInSlices(command, part);
        try {
            const { ETag } = await this.#client.send(command, { abortSignal });
            return { PartNumber, ETag, ...(checksums.sends ? { ChecksumSHA256: checksumOf(part).ChecksumSHA256 } : {}) };
        }
        catch (error) {
            throw this.#failure(error);
        }
    }
    async #complete(UploadId, Parts, whole) {
        const ask = (parts) => this.#client.send(new this.#s3.CompleteMultipartUploadCommand({
            ...this.#object,
            UploadId,
            MultipartUpload: { Parts: parts },
        }), { abortSignal: this.#to.signal });
        try {
            try {
                await ask(Parts);
            }
            catch (error) {
                // Swift passes over the headers for checksums, and refuses their names in this list.
                if (codeOf(error).code !== 'MalformedXML')
                    throw error;
                await ask(Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })));
            }
        }
        catch (error) {
            // The answer to an earlier try may have been lost on its way, and then there is no such upload any more.
            if (codeOf(error).code === 'NoSuchUpload' && (await this.#isThere(Parts, whole)))
                return;
            throw this.#failure(error);
        }
    }
    /** Known by its checksum where the store reports one, else by its ETag, which with KMS is no MD5. */
    async #isThere(sent, { bytes, parts }) {
        const look = (checksum) => this.#client.send(new this.#s3.HeadObjectCommand({ ...this.#object, ...checksum }), {
            abortSignal: this.#to.signal,
        });
        const found = await look({ ChecksumMode: 'ENABLED' })
            .catch(() => look({}))
            .catch(() => null);
        if (found?.ContentLength !== bytes)
            return false;
        const { compositeSha256 } = reportedChecksum(found.ChecksumSHA256, found.ChecksumType);
        if (compositeSha256 !== null)
            return compositeSha256 === compositeOf(parts);
        const etag = compositeEtag(sent.map(({ ETag = '' }) => ETag));
        return etag !== null && found.ETag?.replaceAll('"', '') === etag;
    }
    /** Also when the run was cancelled: the parts cost money until somebody removes them. @returns why it did not work */
    async #giveUp(UploadId) {
        try {
            const abort = this.#client.send(new this.#s3.AbortMultipartUploadCommand({ ...this.#object, UploadId }));
            await (0,reaching/* inTime */.R)(tidyingTime, new AbortController().signal, abort);
            return null;
        }
        catch (error) {
            return codeOf(error).code === 'NoSuchUpload' ? null : wordsOf(error);
        }
    }
    /** Asks with the header for a checksum; without it if the store does not take it, and from then on. */
    async #asking(checksums, ask) {
        try {
            return await ask(checksums.sends);
        }
        catch (error) {
            if (!checksums.sends || !refusesChecksums(error))
                throw this.#failure(error);
        }
        try {
            const answer = await ask(false);
            checksums.sends = false;
            return answer;
        }
        catch (error) {
            throw this.#failure(error);
        }
    }
    #failure(error) {
        if (this.#to.signal.aborted)
            return this.#to.signal.reason;
        return bucketFailure(`${nameOf(this.#to.place)} does not take ${this.#to.key}`, error, this.#facts);
    }
}
/** What stores say that know no such header; a wrong checksum is another thing, and is not among it. */
function refusesChecksums(error) {
    const { status, code } = codeOf(error);
    if (status === 501)
        return true;
    return (status === 400 && /^(InvalidArgument|InvalidRequest|NotImplemented)$/.test(code) && /checksum/i.test(wordsOf(error)));
}
const checksumOf = ({ sha256 }) => ({ ChecksumAlgorithm: 'SHA256', ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') });
/** The signature covers the content, so that any store notices other bytes; the library would hash them once more. */
function signWith(command, { sha256 }) {
    const middleware = (next) => (args) => {
        args.request.headers['x-amz-content-sha256'] = sha256;
        return next(args);
    };
    command.middlewareStack.add(middleware, { step: 'build', name: 'contentSha256' });
}
/** Bytes that are handed to the socket at one time. */
const sliceBytes = 256 * 1024;
/** Handed over whole, all of a part would be encrypted for TLS at once, into as much memory again. */
function sendInSlices(command, { body }) {
    const slices = function* () {
        for (let at = 0; at < body.length; at += sliceBytes)
            yield body.subarray(at, at + sliceBytes);
    };
    const middleware = (next) => (args) => {
        const request = Object.assign(Object.create(Object.getPrototypeOf(args.request)), args.request);
        request.body = external_node_stream_.Readable.from(slices(), { objectMode: false });
        return next({ ...args, request });
    };
    command.middlewareStack.add(middleware, { step: 'deserialize', name: 'sendInSlices' });
}

;// CONCATENATED MODULE: ./build/shared/offsite/s3-store.js









/** Enough to sit out about a minute, see `Retries`. */
const usualAttempts = 9;
/** A store may think so long before it has put many parts together. */
const usualSilence = 120_000;
/** How many deletions run at one time. */
const removalsAtOnce = 8;
/** In versioned buckets with locks, or with rules of the provider's own, a store says so in one of these ways. */
const lockedWords = /object.?lock|retention|legal.?hold|\bWORM\b|immutab|protected/i;
/** Opens a bucket. Connects at the first request. Everything that is asked of it ends with the signal. */
async function openS3Store(place, signal, { attempts = usualAttempts, silence = usualSilence } = {}) {
    const client = await makeClient(place, { attempts, silence });
    return new S3Store(client, await __webpack_require__.e(/* import() */ 711).then(__webpack_require__.t.bind(__webpack_require__, 53711, 19)), place, signal);
}
class S3Store {
    name;
    #client;
    #s3;
    #place;
    #signal;
    #Bucket;
    /** Whether the store takes the headers for checksums, as far as is known. */
    #checksums = { sends: true, asks: true };
    constructor(client, s3, place, signal) {
        this.name = nameOf(place);
        this.#client = client;
        this.#s3 = s3;
        this.#place = place;
        this.#signal = signal;
        this.#Bucket = { Bucket: place.bucket };
    }
    uri(key) {
        return `s3://${this.#place.bucket}/${key}`;
    }
    async *list(prefix) {
        const facts = { rights: ['s3:ListBucket'] };
        let token;
        do {
            const page = await this.#ask('cannot be listed', facts, (abortSignal) => this.#client.send(new this.#s3.ListObjectsV2Command({
                ...this.#Bucket,
                Prefix: prefix,
                ContinuationToken: token,
                // Names of others may hold characters that XML cannot.
                EncodingType: 'url',
            }), { abortSignal }));
            if (page.Name !== this.#place.bucket) {
                throw bucketFailure(`${this.name} cannot be listed`, new Error('the server there is not an S3 store'), facts);
            }
            for (const { Key, Size } of page.Contents ?? []) {
                const key = page.EncodingType === 'url' ? decoded(Key ?? '') : (Key ?? '');
                if (key.startsWith(prefix))
                    yield { key, bytes: Size ?? 0 };
            }
            const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
            if (page.IsTruncated === true && (next === undefined || next === token)) {
                throw bucketFailure(`${this.name} cannot be listed`, new Error('the store does not say how its list goes on'), facts);
            }
            token = next;
        } while (token !== undefined);
    }
    async facts(key) {
        const answer = await this.#unlessMissing(`cannot be asked about ${key}`, (abortSignal) => this.#head(key, abortSignal).catch(async (refusal) => {
            throw await this.#inWords(refusal, key, abortSignal);
        }));
        if (answer === null)
            return null;
        const until = answer.ObjectLockRetainUntilDate ?? null;
        return {
            bytes: answer.ContentLength ?? 0,
            ...reportedChecksum(answer.ChecksumSHA256, answer.ChecksumType),
            lockedUntil: answer.ObjectLockLegalHoldStatus === 'ON' ? farAway : until !== null && until > new Date() ? until : null,
            metadata: answer.Metadata ?? {},
        };
    }
    async #head(key, abortSignal) {
        const look = (ChecksumMode) => this.#client.send(new this.#s3.HeadObjectCommand({ ...this.#Bucket, Key: key, ChecksumMode }), { abortSignal });
        try {
            return await look(this.#checksums.asks ? 'ENABLED' : undefined);
        }
        catch (error) {
            // Some stores refuse the question for a checksum as a whole.
            if (!this.#checksums.asks || ![400, 501].includes(codeOf(error).status ?? 0))
                throw error;
            const plain = await look(undefined);
            this.#checksums.asks = false;
            return plain;
        }
    }
    /**
     * The answer to a HEAD has no body, and status 400 can mean anything, such as an expired login. A GET of one byte is refused with the
     * store's own error.
     */
    async #inWords(refusal, key, abortSignal) {
        if (codeOf(refusal).status !== 400)
            return refusal;
        try {
            const command = new this.#s3.GetObjectCommand({ ...this.#Bucket, Key: key, Range: 'bytes=0-0' });
            (await this.#client.send(command, { abortSignal })).Body.destroy();
            return refusal;
        }
        catch (error) {
            return error;
        }
    }
    async read(key, most) {
        const range = most === undefined ? {} : { Range: `bytes=0-${Math.max(most, 1) - 1}` };
        const what = `does not give ${key}`;
        const answer = await this.#unlessMissing(what, async (abortSignal) => {
            try {
                return await this.#client.send(new this.#s3.GetObjectCommand({ ...this.#Bucket, Key: key, ...range }), {
                    abortSignal,
                });
            }
            catch (error) {
                // An empty object has no first byte.
                if (codeOf(error).status === 416)
                    return { Body: external_node_stream_.Readable.from([]), Metadata: {} };
                throw error;
            }
        });
        if (answer === null)
            return null;
        const content = external_node_stream_.Readable.from(this.#readingOf(answer.Body, what), { objectMode: false });
        return { content, metadata: answer.Metadata ?? {} };
    }
    async *#readingOf(body, what) {
        const stop = () => body.destroy();
        this.#signal.addEventListener('abort', stop, { once: true });
        try {
            for await (const piece of body) {
                tellPassed(piece.length);
                yield piece;
            }
            this.#signal.throwIfAborted();
        }
        catch (error) {
            this.#signal.throwIfAborted();
            throw bucketFailure(`${this.name} ${what} to its end`, error, { rights: ['s3:GetObject'] });
        }
        finally {
            this.#signal.removeEventListener('abort', stop);
            body.destroy();
        }
    }
    async write(key, content, bytes, onBytes = () => { }, properties = {}) {
        const stop = () => content.destroy();
        this.#signal.addEventListener('abort', stop, { once: true });
        try {
            this.#signal.throwIfAborted();
            const plan = planParts(key, bytes, this.#place.maxParts ?? undefined);
            const upload = new S3Upload(this.#client, this.#s3, {
                place: this.#place,
                key,
                properties,
                signal: this.#signal,
            });
            return await upload.send(content, bytes, plan, onBytes, this.#checksums);
        }
        catch (error) {
            this.#signal.throwIfAborted();
            throw error;
        }
        finally {
            this.#signal.removeEventListener('abort', stop);
            content.destroy();
        }
    }
    async remove(keys) {
        const removals = [];
        for (let at = 0; at < keys.length; at += removalsAtOnce) {
            removals.push(...(await Promise.all(keys.slice(at, at + removalsAtOnce).map((key) => this.#remove(key)))));
        }
        return removals;
    }
    async #remove(key) {
        // In a versioned bucket, a deletion only hides what is locked: it would go on costing money, seen by nobody.
        try {
            const facts = await this.facts(key);
            if (facts === null)
                return { key, outcome: 'deleted', reason: null, hint: null };
            if (facts.lockedUntil !== null)
                return { key, outcome: 'retained', reason: lockOf(facts.lockedUntil), hint: null };
            await this.#ask(`does not delete ${key}`, { rights: ['s3:DeleteObject'] }, (abortSignal) => this.#client.send(new this.#s3.DeleteObjectCommand({ ...this.#Bucket, Key: key }), { abortSignal }));
            return { key, outcome: 'deleted', reason: null, hint: null };
        }
        catch (error) {
            this.#signal.throwIfAborted();
            const reason = error.message;
            const hint = ((0,failure/* isFailure */.N6)(error) && error.hint) || null;
            return { key, outcome: this.#tellsLock(reason, key) ? 'retained' : 'failed', reason, hint };
        }
    }
    /** Buckets, folders and users may be called after locks: their names say nothing of why it was refused. */
    #tellsLock(reason, key) {
        const names = [this.name, key, this.#place.bucket];
        return lockedWords.test(names.reduce((words, name) => words.replaceAll(name, ''), reason.replaceAll(/arn:\S+/g, '')));
    }
    async *unfinished(prefix) {
        let from = {};
        while (from !== null) {
            const page = await this.#uploadsFrom(prefix, from);
            for (const { Key: key = '', UploadId: uploadId } of page.Uploads ?? []) {
                if (uploadId !== undefined && key.startsWith(prefix))
                    yield { key, uploadId };
            }
            const next = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
            const moves = next.KeyMarker !== from.KeyMarker || next.UploadIdMarker !== from.UploadIdMarker;
            from = page.IsTruncated === true && moves ? next : null;
        }
    }
    #uploadsFrom(prefix, from) {
        const facts = { rights: ['s3:ListBucketMultipartUploads'] };
        const command = new this.#s3.ListMultipartUploadsCommand({ ...this.#Bucket, Prefix: prefix, ...from });
        return this.#ask('does not list unfinished uploads', facts, (abortSignal) => this.#client.send(command, { abortSignal }));
    }
    async abort({ key, uploadId }) {
        const facts = { rights: ['s3:AbortMultipartUpload'] };
        await this.#ask(`did not abort the upload of ${key}`, facts, async (abortSignal) => {
            try {
                const command = new this.#s3.AbortMultipartUploadCommand({ ...this.#Bucket, Key: key, UploadId: uploadId });
                await this.#client.send(command, { abortSignal });
            }
            catch (error) {
                if (codeOf(error).code !== 'NoSuchUpload')
                    throw error;
            }
        });
    }
    close() {
        this.#client.destroy();
    }
    /** null if the store says that there is no such object; a missing bucket is a failure. */
    async #unlessMissing(what, ask) {
        return this.#ask(what, { rights: ['s3:GetObject'] }, async (abortSignal) => {
            try {
                return await ask(abortSignal);
            }
            catch (error) {
                const { status, code } = codeOf(error);
                if (status === 404 && code !== 'NoSuchBucket')
                    return null;
                throw error;
            }
        });
    }
    async #ask(what, facts, ask) {
        this.#signal.throwIfAborted();
        try {
            return await ask(this.#signal);
        }
        catch (error) {
            this.#signal.throwIfAborted();
            throw bucketFailure(`${this.name} ${what}`, error, facts);
        }
    }
}
/** A legal hold has no end. */
const farAway = new Date(8.64e15);
function lockOf(until) {
    return until === farAway ? 'it is under a legal hold' : `it is locked until ${until.toISOString()}`;
}
/** As S3 encodes names in listings. */
function decoded(key) {
    try {
        return decodeURIComponent(key.replaceAll('+', ' '));
    }
    catch {
        return key;
    }
}

// EXTERNAL MODULE: ./build/shared/runner/log.js
var log = __webpack_require__(33437);
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
        folders: (0,catalogue/* pathsOf */.wG)(set),
        ...(0,host_file/* recordParameters */.O8)(records),
    };
    try {
        await connection.run(proof_program, parameters, { deadline: 60_000 + lock.wait, atEnd: 'finish', lock, onLog }).result;
    }
    catch (error) {
        if ((0,failure/* isFailure */.N6)(error, 'lock-held'))
            throw (0,lock_holder/* lockHeld */.bh)(error.message, backupDir, lock.wait);
        throw error;
    }
}

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
        tellPassed(piece.length);
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
    const parameters = { backup_dir: backupDir, folders: (0,catalogue/* pathsOf */.wG)(set), names };
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

// EXTERNAL MODULE: ./build/backup-action/copy-uri.js
var copy_uri = __webpack_require__(72740);
;// CONCATENATED MODULE: ./build/backup-action/offsite.js













/** One bad night is made up for in the next; many, in several. */
const mostCopies = 7;
/**
 * Copies the new backup into the bucket, together with older ones that are missing there, and deletes copies that the policy no
 * longer keeps. Whatever fails here, the backups on the host stay as they are.
 * @param onCopied called as soon as the bucket holds the new backup: the run may be cancelled after that
 */
async function copyOffsite(bucket, kept, run, onCopied) {
    const { manifest } = kept.facts.publicationPlan;
    try {
        const title = `Copy to ${(0,copy_uri/* copyUri */.O)(bucket, run.inputs, kept)}`;
        const { copied, others, problems } = await log.group(title, () => copyUnderLock(bucket, kept, run, onCopied));
        return { copied: copied.find(({ id }) => id === manifest.id) ?? null, others, problems };
    }
    catch (error) {
        run.signal.throwIfAborted();
        if (!(0,failure/* isFailure */.N6)(error))
            throw error;
        return { copied: null, others: null, problems: [error] };
    }
}
async function copyUnderLock(bucket, kept, run, onCopied) {
    const { connection, inputs, holder, signal } = run;
    const { folderIds, release } = await holdOffsite(connection, {
        backupDir: inputs.backupDir,
        wait: inputs.lockWait,
        holder,
        longest: (mostCopies + 1) * inputs.timeout,
        signal,
        onLog: log.host,
        onWait: (other) => log.progress(`Waiting for the lock for off-site copies, held by ${other}`),
    });
    try {
        return await copySets(bucket, kept, folderIds, run, onCopied);
    }
    finally {
        if (!(await release()))
            log.warning(`The host did not confirm in time that it released ${(0,backup_folder/* offsiteLock */.A0)(inputs.backupDir)}`);
    }
}
async function copySets(bucket, { facts: { publicationPlan }, problems }, folderIds, run, onCopied) {
    const { connection, inputs, signal } = run;
    const { backupDir, timeout, timezone, environment, sealTo, upload, offsiteKeep } = inputs;
    const { id, database } = publicationPlan.manifest;
    const sets = (0,publication_plan/* setsAfter */.w)(publicationPlan);
    if (sealTo.length > 0)
        log.info(`Encrypted on the way, by this runner, for ${(0,units/* counted */.hS)(sealTo.length, 'key')}`);
    const unnoted = [];
    const store = await openS3Store({ ...bucket, ...upload }, signal);
    try {
        const outcome = await keepOffsite(store, {
            prefix: bucket.prefix,
            environment,
            folderIds,
            sealTo,
            database,
            policy: offsiteKeep,
            timezone,
            now: new Date(),
            sets,
            newest: id,
            most: mostCopies,
            // As on the host: whoever lost data keeps what was there before.
            mayDelete: problems.length === 0,
            read: (set) => readFiles(connection, { backupDir, set, names: namesToCopy(set), timeout, signal, onLog: log.host }),
            timeout,
            tagsOf: (set, tier) => ({ environment, tier: tierTag(set, tier) }),
            listener: (set) => new CopyProgress(log, set),
            onCopied: async (copy) => {
                if (copy.id === id)
                    onCopied(copy);
                await noteCopy(copy, sets, run, unnoted);
            },
            signal,
        });
        outcome.problems.push(...unnoted);
        tellOutcome(outcome);
        return outcome;
    }
    finally {
        store.close();
    }
}
/** In this order: the list of checksums first, so that everything after it is compared; the manifest last, so that the set is whole. */
function namesToCopy(set) {
    const names = (0,read_sets/* namesOf */.eZ)(set);
    return [
        names.sha256,
        names.dump,
        ...(0,read_sets/* sidesOf */.Mm)(set).map((side) => names[side]),
        names.report,
        names.md5,
        names.manifest,
    ];
}
/** For rules of the bucket that act on tags: the tier in which the bucket keeps the set for longest. */
function tierTag({ manifest }, tier) {
    return tier === 'daily' && manifest.kind !== 'scheduled' ? manifest.kind : tier;
}
/** Writes into the set's proofs on the host that a copy exists, and how that is known. */
async function noteCopy({ id, uri, bytes, files }, sets, { connection, inputs, holder, runUrl }, problems) {
    const set = sets.find((each) => each.id === id);
    if (set === undefined)
        return;
    const checks = Object.fromEntries(files.map(({ name, confirmation }) => [name, confirmation]));
    const lock = { path: (0,backup_folder/* lockFile */.Ke)(inputs.backupDir), wait: inputs.lockWait, holder };
    const note = { backupDir: inputs.backupDir, lock, records: [], onLog: log.host };
    try {
        const at = new Date().toISOString();
        await addProof(connection, set, { at, what: 'copy', result: 'passed', uri, checks, bytes, runUrl }, note);
    }
    catch (error) {
        if (!(0,failure/* isFailure */.N6)(error))
            throw error;
        const what = `The copy of ${id} is whole, but could not be noted on the host: ${error.message}`;
        problems.push(new failure/* Failure */.HR(error.code, what, { ...(error.hint && { hint: error.hint }), cause: error }));
    }
}
function tellOutcome({ copied, deleted, retained, plain, unread, others }) {
    for (const { id, bytes, files } of copied)
        log.success(`${id} is copied: ${(0,units/* counted */.hS)(files.length, 'file')}, ${(0,units/* formatBytes */.z3)(bytes)}`);
    if (deleted.length > 0)
        log.info(`Deleted from the bucket by its retention: ${deleted.join(', ')}`);
    if (retained.length > 0)
        log.info(`Due for deletion, but locked in the bucket: ${retained.join(', ')}`);
    for (const { id, why } of unread)
        log.warning(`The copy of ${id} counts for nothing, and is left alone: ${why}`);
    if (others !== null)
        log.warning(others);
    if (plain.length > 0)
        log.warning(`Not encrypted in the bucket, because an earlier run copied them: ${(0,units/* listed */.KE)(plain, 3)}. If nobody may read them, delete them there; the next run copies those that are still on the host again, encrypted`);
}


/***/ })

};
