export const id = 248;
export const ids = [248];
export const modules = {

/***/ 6675:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   MU: () => (/* binding */ isOurs),
/* harmony export */   Zd: () => (/* binding */ folderIdIn),
/* harmony export */   xG: () => (/* binding */ othersIn)
/* harmony export */ });
/* unused harmony export metadataOf */
/* harmony import */ var _units_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(98295);

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
    return `The bucket also holds ${copies} of "${database}" that ${who} made (${(0,_units_js__WEBPACK_IMPORTED_MODULE_0__/* .listed */ .KE)(ids, 3)}); ${are} left alone. Give each host an "s3-prefix" of its own; if this host replaces a lost one, add that id to ".folder-id" in its backup folder to take the copies over`;
}


/***/ }),

/***/ 46156:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  e: () => (/* binding */ openS3Store)
});

// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(57075);
// EXTERNAL MODULE: ./build/shared/failure.js
var failure = __webpack_require__(926);
// EXTERNAL MODULE: ./build/shared/passing-memory.js
var passing_memory = __webpack_require__(76387);
// EXTERNAL MODULE: ./build/shared/offsite/bucket-failure.js
var bucket_failure = __webpack_require__(47812);
// EXTERNAL MODULE: ./build/shared/offsite/bucket-place.js
var bucket_place = __webpack_require__(6905);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
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

// EXTERNAL MODULE: ./build/shared/units.js
var units = __webpack_require__(98295);
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

// EXTERNAL MODULE: ./build/shared/offsite/s3-client.js + 1 modules
var s3_client = __webpack_require__(88045);
// EXTERNAL MODULE: ./build/shared/reaching.js
var reaching = __webpack_require__(59859);
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
                if ((0,bucket_failure/* codeOf */.$N)(error).code !== 'MalformedXML')
                    throw error;
                await ask(Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })));
            }
        }
        catch (error) {
            // The answer to an earlier try may have been lost on its way, and then there is no such upload any more.
            if ((0,bucket_failure/* codeOf */.$N)(error).code === 'NoSuchUpload' && (await this.#isThere(Parts, whole)))
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
            return (0,bucket_failure/* codeOf */.$N)(error).code === 'NoSuchUpload' ? null : (0,bucket_failure/* wordsOf */.Z9)(error);
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
        return (0,bucket_failure/* bucketFailure */.$u)(`${(0,bucket_place/* nameOf */.V)(this.#to.place)} does not take ${this.#to.key}`, error, this.#facts);
    }
}
/** What stores say that know no such header; a wrong checksum is another thing, and is not among it. */
function refusesChecksums(error) {
    const { status, code } = (0,bucket_failure/* codeOf */.$N)(error);
    if (status === 501)
        return true;
    return (status === 400 && /^(InvalidArgument|InvalidRequest|NotImplemented)$/.test(code) && /checksum/i.test((0,bucket_failure/* wordsOf */.Z9)(error)));
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
    const client = await (0,s3_client/* makeClient */.y)(place, { attempts, silence });
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
        this.name = (0,bucket_place/* nameOf */.V)(place);
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
                throw (0,bucket_failure/* bucketFailure */.$u)(`${this.name} cannot be listed`, new Error('the server there is not an S3 store'), facts);
            }
            for (const { Key, Size } of page.Contents ?? []) {
                const key = page.EncodingType === 'url' ? decoded(Key ?? '') : (Key ?? '');
                if (key.startsWith(prefix))
                    yield { key, bytes: Size ?? 0 };
            }
            const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
            if (page.IsTruncated === true && (next === undefined || next === token)) {
                throw (0,bucket_failure/* bucketFailure */.$u)(`${this.name} cannot be listed`, new Error('the store does not say how its list goes on'), facts);
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
            if (!this.#checksums.asks || ![400, 501].includes((0,bucket_failure/* codeOf */.$N)(error).status ?? 0))
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
        if ((0,bucket_failure/* codeOf */.$N)(refusal).status !== 400)
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
                if ((0,bucket_failure/* codeOf */.$N)(error).status === 416)
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
                (0,passing_memory/* tellPassed */.M)(piece.length);
                yield piece;
            }
            this.#signal.throwIfAborted();
        }
        catch (error) {
            this.#signal.throwIfAborted();
            throw (0,bucket_failure/* bucketFailure */.$u)(`${this.name} ${what} to its end`, error, { rights: ['s3:GetObject'] });
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
                if ((0,bucket_failure/* codeOf */.$N)(error).code !== 'NoSuchUpload')
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
                const { status, code } = (0,bucket_failure/* codeOf */.$N)(error);
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
            throw (0,bucket_failure/* bucketFailure */.$u)(`${this.name} ${what}`, error, facts);
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


/***/ }),

/***/ 63489:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  K: () => (/* binding */ contentsOf)
});

// UNUSED EXPORTS: storedSets

// EXTERNAL MODULE: external "node:stream/consumers"
var consumers_ = __webpack_require__(38321);
// EXTERNAL MODULE: ./build/shared/failure.js
var failure = __webpack_require__(926);
// EXTERNAL MODULE: ./build/shared/sets/catalogue.js
var catalogue = __webpack_require__(43373);
// EXTERNAL MODULE: ./build/shared/sets/naming.js
var naming = __webpack_require__(29462);
// EXTERNAL MODULE: ./build/shared/sets/read-manifest.js
var read_manifest = __webpack_require__(3450);
// EXTERNAL MODULE: ./build/shared/sets/read-sets.js
var read_sets = __webpack_require__(6646);
// EXTERNAL MODULE: ./build/shared/offsite/bucket-failure.js
var bucket_failure = __webpack_require__(47812);
// EXTERNAL MODULE: ./build/shared/offsite/folder-id.js
var folder_id = __webpack_require__(6675);
;// CONCATENATED MODULE: ./build/shared/offsite/keys.js



/** Where the objects of a set lie. */
function folderOf(prefix, environment, id) {
    return `${prefix}/${environment}/${id}/`;
}
/** Which file of which set an object is, or becomes; null if it is none of ours: others may keep theirs beside them. */
function setFileAt(prefix, environment, key) {
    const [id = '', name = '', ...deeper] = key.slice(`${prefix}/${environment}/`.length).split('/');
    const parsed = (0,naming/* parseSetFileName */.Bi)(name);
    return deeper.length > 0 || parsed === null || parsed.id !== id || parsed.prefix === 'failed' ? null : { id, name };
}
/** Where the dump of a set lies, or will. @param sealTo as in `CopyTarget` */
function keyOfDump({ prefix, environment, sealTo }, manifest) {
    const file = isSealedOnTheWay(manifest, sealTo) ? sealedNames(manifest).dump : manifest.file;
    return `${folderOf(prefix, environment, manifest.id)}${file}`;
}
/** What the host has encrypted stays as it is. */
const isSealedOnTheWay = ({ encryption }, sealTo) => encryption === 'none' && sealTo.length > 0;
/** The names of the files of an encrypted copy. */
function sealedNames(manifest) {
    return namesOf({ manifest: sealManifest(manifest, manifest) });
}

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
        const file = setFileAt(prefix, environment, key);
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
        if (error instanceof bucket_failure/* ObjectFailure */.o3)
            return error;
        throw error;
    });
    if (stored === null)
        return foreign('its manifest was deleted just now');
    if (stored instanceof bucket_failure/* ObjectFailure */.o3)
        return part('unread', `its manifest cannot be read. ${stored.message}`);
    const manifest = summaryOf(await (0,consumers_.text)(stored.content));
    if (manifest === null)
        return foreign('its manifest is none of ours, or damaged');
    if (manifest.id !== id || manifest.environment !== environment)
        return foreign('its manifest is that of another backup');
    const faults = faultsOf(manifest, files);
    const folderId = (0,folder_id/* folderIdIn */.Zd)(stored.metadata);
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


/***/ }),

/***/ 76387:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   M: () => (/* binding */ tellPassed)
/* harmony export */ });
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


/***/ }),

/***/ 16652:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Up: () => (/* binding */ sealedBytes),
/* harmony export */   Wn: () => (/* binding */ pieceCipher),
/* harmony export */   Yd: () => (/* binding */ streamKey),
/* harmony export */   i3: () => (/* binding */ tagBytes),
/* harmony export */   ii: () => (/* binding */ pieceNonce),
/* harmony export */   o7: () => (/* binding */ sealedPieceBytes),
/* harmony export */   zO: () => (/* binding */ nonceBytes)
/* harmony export */ });
/* unused harmony export pieceBytes */
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);

// The content of a file of age, in pieces that are sealed one by one: https://age-encryption.org/v1. Node itself does it, which is
// several times as fast as age's own library.
const nonceBytes = 16;
const pieceBytes = 64 * 1024;
const tagBytes = 16;
const sealedPieceBytes = pieceBytes + tagBytes;
const pieceCipher = 'chacha20-poly1305';
const streamKey = (fileKey, nonce) => Buffer.from((0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.hkdfSync)('sha256', fileKey, nonce, 'payload', 32));
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


/***/ }),

/***/ 88166:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   U: () => (/* binding */ unsealManifest)
/* harmony export */ });
/* unused harmony export sealManifest */
// A set that is plain on the host may lie encrypted in a bucket. Its manifest there is that of the host, but for the dump.
/**
 * The manifest of the encrypted copy. Its fields stay in their order, and those that this version does not know stay in it.
 * @param manifest as it was read from JSON
 * @param dump of the encrypted dump
 */
function sealManifest(manifest, dump) {
    const plain = sumsOf(manifest);
    const sealed = { ...manifest, encryption: 'age', file: `${manifest.file}.age`, ...sumsOf(dump) };
    const fields = Object.entries(sealed).filter(([name]) => name !== 'sealedFrom');
    // Beside its like: a survey reads only the beginning and the end.
    fields.splice(fields.findIndex(([name]) => name === 'md5') + 1, 0, ['sealedFrom', plain]);
    return Object.fromEntries(fields);
}
/** The manifest on the host, of which this is that of an encrypted copy; itself if it is none. */
function unsealManifest(manifest) {
    const { sealedFrom, file } = manifest;
    if (sealedFrom === null)
        return manifest;
    return { ...manifest, encryption: 'none', file: file.replace(/\.age$/, ''), ...sealedFrom, sealedFrom: null };
}
const sumsOf = ({ sizeBytes, sha256, md5 }) => ({ sizeBytes, sha256, md5 });


/***/ })

};
