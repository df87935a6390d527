import { Command } from 'commander'
export const backupCommand = (): Command => new Command('backup').description('x')
