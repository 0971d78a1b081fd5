/** PostgreSQL cuts names off after this many bytes. */
const longestName = 63;

/** Shortens the name by whole characters: if the server cut it, the result could be the very name it must not have. */
export function nameWith(name: string, suffix: string): string {
  const characters = [...name];
  while (new TextEncoder().encode(characters.join('') + suffix).length > longestName) characters.pop();
  return characters.join('') + suffix;
}
