/**
 * Where a story that is not the runner's own is told. `runner` gives its log; what stands below it gets it as a parameter, and
 * so can be told elsewhere, or not at all.
 */
export interface StoryLog {
  /** What `work` tells can be folded away under the title. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
  info(text: string): void;
  success(text: string): void;
  /** How far a long step is. */
  progress(text: string): void;
  /** To be read now. */
  important(text: string): void;
  warning(text: string): void;
  /** A line that the host printed: hostile until cleaned. */
  host(line: string): void;
}
