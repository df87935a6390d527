/** What Node knows of its own process. */
const startedMs = Date.now() - process.uptime() * 1_000

/** In Prometheus's names and units. */
export const readProcess = () => {
  const { user, system } = process.cpuUsage()
  return {
    process_cpu_seconds_total: (user + system) / 1_000_000,
    process_resident_memory_bytes: process.memoryUsage.rss(),
    process_start_time_seconds: startedMs / 1_000,
  }
}
