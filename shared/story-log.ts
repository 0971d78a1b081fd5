/** The log, for code below `runner`, which may not import it. */
export interface StoryLog {
  /** Everything that `work` logs can be folded away under the title. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
  info(text: string): void;
  success(text: string): void;
  /** Progress of a long step. */
  progress(text: string): void;
  /** Something that the operator should read now. */
  important(text: string): void;
  warning(text: string): void;
  /** A line that the host printed: hostile until cleaned. */
  host(line: string): void;
}
