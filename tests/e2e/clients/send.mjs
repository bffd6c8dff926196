// node send.mjs CLIENT URL KEY COUNT [CHROMIUM]
//
// Sends, with a client as its makers published it, one call of each kind and COUNT track calls whose
// property `n` counts from 0, and ends when the client says that all of it is out.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const [client, url, key, count, chromium] = process.argv.slice(2)

const calls = {
    identify: { userId: 'u1', traits: { name: 'Ann', email: 'ann@example.com' } },
    page: { userId: 'u1', category: 'Docs', name: 'Start', properties: { url: 'https://example.com/' } },
    screen: { userId: 'u1', name: 'Home', properties: { width: 320 } },
    group: { userId: 'u1', groupId: 'g1', traits: { name: 'Acme' } },
    alias: { userId: 'u1', previousId: 'a1' },
}
const track = (n) => ({ userId: 'u1', event: 'Order Completed', properties: { n, product: '茶' } })

function sendAll(send) {
    for (const [name, call] of Object.entries(calls)) send(name, call)
    for (let n = 0; n < Number(count); n++) send('track', track(n))
}

const clients = {
    async 'analytics-node-3'() { // @segment/analytics-node
        const { Analytics } = await import('@segment/analytics-node')
        const analytics = new Analytics({ writeKey: key, host: url, flushAt: 7 })
        analytics.on('error', (error) => { throw error })
        sendAll((name, call) => analytics[name](call))
        await analytics.closeAndFlush()
    },

    async 'analytics-node'() {
        const Analytics = require('analytics-node')
        const analytics = new Analytics(key, { host: url, flushAt: 7 })
        sendAll((name, call) => analytics[name](call))
        await analytics.flush()
    },

    async 'rudder-sdk-node'() {
        const { default: Analytics } = await import('@rudderstack/rudder-sdk-node')
        const analytics = new Analytics(key, { dataPlaneUrl: url, flushAt: 7 })
        sendAll((name, call) => analytics[name](call))
        await analytics.flush()
    },

    async 'customerio-node'() {
        const { PipelinesClient } = await import('customerio-node')
        const pipelines = new PipelinesClient(key, { url: `${url}/v1` })
        for (const [name, call] of Object.entries(calls)) await pipelines[name](call)
        const events = Array.from({ length: Number(count) }, (_, n) => ({ type: 'track', ...track(n) }))
        await pipelines.batch(events)
    },

    async cloudevents() {
        const { CloudEvent, Mode, emitterFor, httpTransport } = await import('cloudevents')
        const transport = httpTransport(`${url}/v1/events`)
        const headers = { Authorization: `Bearer ${key}` }
        const event = (n) => new CloudEvent({
            type: 'Order Completed', source: '/shop', subject: 'user_id:u1', comexample: 'é%',
            datacontenttype: 'application/json', data: track(n).properties,
        })
        const batch = []
        for (let n = 0; n < Number(count); n++) {
            const emit = emitterFor(transport, { mode: n % 3 === 0 ? Mode.BINARY : Mode.STRUCTURED })
            if (n % 3 === 2) batch.push(event(n))
            else check(await emit(event(n), { headers }))
        }
        const body = JSON.stringify(batch)
        const type = { 'Content-Type': 'application/cloudevents-batch+json' }
        const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers: { ...headers, ...type }, body })
        check({ body: await answer.text() })
    },

    async 'analytics-next'() { await browse({}) },
    async 'analytics-next-batching'() {
        await browse({ strategy: 'batching', config: { size: 4, timeout: 100 } })
    },
}

function check(answer) {
    if (JSON.parse(answer.body).success !== true) throw new Error(answer.body)
}

// A page of another origin with @segment/analytics-next in it, opened in Chromium; everything that the
// page asks for but the daemon is served from here.
async function browse(deliveryStrategy) {
    const script = await readFile(require.resolve('@segment/analytics-next/dist/umd/index.js'))
    const page = `<!doctype html><script src="/analytics.js"></script>`
    const site = createServer((request, response) => {
        const isScript = request.url === '/analytics.js'
        response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8')
        response.end(isScript ? script : page)
    })
    await new Promise((done) => site.listen(0, '127.0.0.1', done))
    const { chromium: engine } = require('playwright-core')
    const browser = await engine.launch({ executablePath: chromium, args: ['--no-sandbox'] })
    try {
        const tab = await browser.newPage()
        const out = allAnswered(tab, Object.keys(calls).length + Number(count))
        await tab.goto(`http://127.0.0.1:${site.address().port}/`)
        await tab.evaluate(inPage, { host: new URL(url).host, key, calls, count: Number(count), deliveryStrategy })
        await out
    } finally {
        await browser.close()
        site.close()
        site.closeAllConnections()
    }
}

// Resolves when the daemon has taken so many events of this page.
function allAnswered(tab, count) {
    return new Promise((done) => tab.on('requestfinished', async (request) => {
        if (request.method() !== 'POST' || (await request.response()).status() !== 200) return
        const body = JSON.parse(request.postData())
        count -= body.batch ? body.batch.length : 1
        if (count === 0) done()
    }))
}

async function inPage({ host, key, calls, count, deliveryStrategy }) {
    const settings = { apiKey: key, apiHost: `${host}/v1`, protocol: 'http', deliveryStrategy }
    const analytics = window.AnalyticsNext.AnalyticsBrowser.load(
        { writeKey: key, cdnURL: location.origin, cdnSettings: { integrations: { 'Segment.io': settings } } },
        { integrations: { 'Segment.io': settings } },
    )
    await analytics.ready()
    const sent = [
        analytics.identify('u1', calls.identify.traits),
        analytics.page('Docs', 'Start', calls.page.properties),
        analytics.screen(calls.screen.name, calls.screen.properties),
        analytics.group('g1', calls.group.traits),
        analytics.alias('u1', 'a1'),
    ]
    for (let n = 0; n < count; n++) sent.push(analytics.track('Order Completed', { n, product: '茶' }))
    await Promise.all(sent)
}

await clients[client]()
