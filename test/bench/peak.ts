/** For Node: the process says at its end how much memory it had at most. */
export const tellsPeak =
  "--import data:text/javascript,process.on('exit',()=>process.stderr.write('peak\\x20'+process.resourceUsage().maxRSS*1024+'\\n'))";

/** Bytes, of what such a process has written. */
export function peakIn(stderr: string): number | undefined {
  const [, bytes] = /peak (\d+)/.exec(stderr) ?? [];
  return bytes === undefined ? undefined : Number(bytes);
}
