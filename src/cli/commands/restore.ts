import { Command } from 'commander'
export const restoreCommand = (): Command => new Command('restore').description('x')
