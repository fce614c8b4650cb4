// Starts calls at a steady pace, one of some in a task of its own, after the first ones, and prints when those have ended,
// in ms since 1970.
const [url, library, count, gapMs, ofSome, warmUp] = process.argv.slice(2)
const { withAgent } = await import(library)
const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hi' }] })
const headers = { 'content-type': 'application/json' }
const OTHERS = 'steady'
const ended = {}

function call(task) {
  return withAgent({ task }, async () => {
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
    await response.json()
    if (task !== OTHERS) ended[task] = performance.timeOrigin + performance.now()
  })
}

const calls = []
const startMs = performance.now()
while (calls.length < Number(count)) {
  // Timers are of whole milliseconds: those that are due by now.
  const due = Math.min(Number(count), 1 + Math.floor((performance.now() - startMs) / Number(gapMs)))
  while (calls.length < due) {
    const { length } = calls
    const isMeasured = length >= Number(warmUp) && length % Number(ofSome) === 0
    calls.push(call(isMeasured ? `lag-${length}` : OTHERS))
  }
  await new Promise((resolve) => setTimeout(resolve, Math.min(Number(gapMs), 5)))
}
await Promise.all(calls)
// The last decisions are still to be heard.
await new Promise((resolve) => setTimeout(resolve, 2000))
process.stdout.write(JSON.stringify(ended))
