/** Its body is made by `bundle-suites.ts`: the test files of a bundle by their names. */
export declare const importTestFile: (path: string) => Promise<unknown>
