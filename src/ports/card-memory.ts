/** Where a node keeps the address cards of its peers over a restart. What is lost of it is found again. */
export interface CardMemory {
  /** What was written last; undefined when there is nothing. */
  read(): Promise<string | undefined>
  write(text: string): Promise<void>
}
