import { getProxyUrl } from '@actions/http-client/lib/proxy';

/** The proxy for an address, by HTTPS_PROXY and NO_PROXY, as GitHub's own libraries read them; null: none. */
export function proxyFor(url: URL): URL | null {
  return getProxyUrl(url) ?? null;
}
