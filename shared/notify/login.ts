/**
 * The `name:password` of an address, for HTTP's basic authentication; null if it has none. What is no escape is taken as it stands: an
 * environment variable of the runner may hold a bare %.
 */
export function loginIn({ username, password }: URL): string | null {
  if (username === '' && password === '') return null;
  return [username, password].map(unescaped).join(':');
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
