/** The health-url as plan lines for the host's scripts. bash itself can ask over http; for https the host needs curl. */
export function addressLines(url: URL): [name: string, value: string][] {
  const lines: [string, string][] = [['health_url', url.href]];
  if (url.protocol !== 'http:') return lines;
  return [
    ...lines,
    ['health_host', url.hostname.replace(/^\[|\]$/g, '')],
    ['health_port', url.port || '80'],
    ['health_path', `${url.pathname}${url.search}`],
    ['health_name', url.host],
  ];
}
