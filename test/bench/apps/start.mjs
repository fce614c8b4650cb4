// Says when the app's own code began, since the process did, and how much memory it had then.
process.stdout.write(
  JSON.stringify({ startMs: performance.now(), rssBytes: process.memoryUsage.rss() }),
)
