// bullmq.mjs PORT COUNT SPAN_MS LEAD_MS PENDING -- Kith's reminders as delayed jobs of BullMQ on Redis.
//
// PENDING jobs are set for tomorrow, then COUNT jobs that become due evenly over SPAN_MS,
// beginning LEAD_MS after the first of them was set.  How late a job is: the moment its worker is
// called, less the moment it was due.  Packages are looked for from the working directory.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.cwd() + '/');
const { Queue, Worker } = await import(pathToFileURL(require.resolve('bullmq')));

const [port, count, spanMs, leadMs, pending] = process.argv.slice(2).map(Number);
const connection = { host: '127.0.0.1', port };
const BULK = 1000;
const DAY_MS = 86400000;

const queue = new Queue('reminders', { connection });

async function add(total, dueOf) {
  const began = Date.now();
  for (let first = 0; first < total; first += BULK) {
    const jobs = [];
    for (let i = first; i < Math.min(total, first + BULK); i++) {
      const due = dueOf(i);
      const delay = Math.max(0, due - Date.now());
      jobs.push({ name: 'remind', data: { due }, opts: { delay, removeOnComplete: true } });
    }
    await queue.addBulk(jobs);
  }
  return Math.round(total / Math.max(1, Date.now() - began) * 1000);
}

const late = [];
let finish;
const done = new Promise((resolve) => { finish = resolve; });
const onDue = async (job) => {
  late.push(Date.now() - job.data.due);
  if (late.length === count) finish();
};
new Worker('reminders', onDue, { connection, concurrency: 200 });

const tomorrow = Date.now() + DAY_MS;
if (pending > 0) console.log(`pending set  ${await add(pending, (i) => tomorrow + i)} per second`);
const base = Date.now() + leadMs;
console.log(`due set  ${await add(count, (i) => base + Math.floor(i / count * spanMs))} per second`);
await done;
late.sort((a, b) => a - b);
const part = (p) => (late[Math.min(late.length - 1, Math.floor(p * late.length))] * 1000).toFixed(1);
console.log(`lateness  p50 ${part(0.5)} us  p99 ${part(0.99)} us  max ${part(1)} us  (${late.length})`);
process.exit(0);
