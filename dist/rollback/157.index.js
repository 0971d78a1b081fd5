export const id = 157;
export const ids = [157];
export const modules = {

/***/ 62157:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   githubApi: () => (/* binding */ githubApi)
/* harmony export */ });
/* harmony import */ var _actions_http_client__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(22779);
/* harmony import */ var _provenance_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(54032);


const perPage = 100;
/** @param repository `owner/name` */
function githubApi(repository, token) {
    const client = new _actions_http_client__WEBPACK_IMPORTED_MODULE_0__/* .HttpClient */ .Qq('atlasia-actions', [], { allowRetries: true, maxRetries: 2 });
    const unredirected = new _actions_http_client__WEBPACK_IMPORTED_MODULE_0__/* .HttpClient */ .Qq('atlasia-actions', [], {
        allowRetries: true,
        maxRetries: 2,
        allowRedirects: false,
    });
    const base = `${process.env['GITHUB_API_URL'] ?? 'https://api.github.com'}/repos/${repository}/actions`;
    const headers = {
        authorization: `Bearer ${token}`,
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
    };
    const ask = async (path) => {
        const { statusCode, result } = await client.getJson(`${base}/${path}`, headers);
        if (statusCode === 404)
            throw new _actions_http_client__WEBPACK_IMPORTED_MODULE_0__/* .HttpClientError */ .Kg('GitHub did not find it', statusCode);
        return result;
    };
    const page = async (name, number) => (0,_provenance_js__WEBPACK_IMPORTED_MODULE_1__/* .readArtifactPage */ .cH)(await ask(`artifacts?name=${encodeURIComponent(name)}&per_page=${perPage}&page=${number}`));
    return {
        async artifacts(name, most) {
            const first = await page(name, 1);
            const pages = Math.min(most, Math.ceil(first.total / perPage));
            const others = Array.from({ length: Math.max(0, pages - 1) }, (_, index) => page(name, index + 2));
            return [first, ...(await Promise.all(others))].flatMap(({ artifacts }) => artifacts);
        },
        artifact: async (id) => (0,_provenance_js__WEBPACK_IMPORTED_MODULE_1__/* .readArtifact */ .R9)(await ask(`artifacts/${id}`)),
        async run(id) {
            const answer = await ask(`runs/${id}`).catch((error) => {
                if (error instanceof _actions_http_client__WEBPACK_IMPORTED_MODULE_0__/* .HttpClientError */ .Kg && error.statusCode === 404)
                    return null;
                throw error;
            });
            return answer === null ? null : (0,_provenance_js__WEBPACK_IMPORTED_MODULE_1__/* .readRun */ .cI)(answer);
        },
        async archive(id, limit) {
            const { message } = await unredirected.get(`${base}/artifacts/${id}/zip`, headers);
            message.resume();
            const { statusCode = 0, headers: answered } = message;
            if (statusCode !== 302 || answered.location === undefined)
                throw new _actions_http_client__WEBPACK_IMPORTED_MODULE_0__/* .HttpClientError */ .Kg(`The artifact ${id} cannot be fetched: HTTP ${statusCode}`, statusCode);
            // The address itself grants access. It is not GitHub's, so do not send it the token.
            return fetchAtMost(client, answered.location, limit, `The artifact ${id}`);
        },
    };
}
async function fetchAtMost(client, url, limit, what) {
    const { message } = await client.get(url);
    if (message.statusCode !== 200) {
        message.resume();
        throw new Error(`${what} cannot be fetched: HTTP ${message.statusCode}`);
    }
    const chunks = [];
    let size = 0;
    for await (const chunk of message) {
        size += chunk.length;
        if (size > limit)
            return null;
        chunks.push(chunk);
    }
    return Buffer.concat(chunks);
}


/***/ })

};
