#!/usr/bin/env tarantool
-- tarantool.lua FILE BATCH MODE DIR -- the work of Kith's ingest in Tarantool.
--
-- Everything happens inside one process, without a network: the JSON of each event is decoded,
-- known message ids are skipped, unknown customers created, the event stored, ten rules run on it,
-- and the customer written back.  A batch is one transaction, hence one write to the log; with MODE
-- "fsync" it is on the disk before the next batch begins.  DIR is empty and takes the data.
local clock, json = require('clock'), require('json')

local path, batch_max, mode, dir = arg[1], tonumber(arg[2]), arg[3], arg[4]
local REMINDER_SECONDS = 3 * 86400

box.cfg {
    memtx_dir = dir, wal_dir = dir, vinyl_dir = dir,
    wal_mode = mode,
    memtx_memory = 4 * 1024 * 1024 * 1024,
    checkpoint_interval = 0,
    readahead = 1024 * 1024,
    log_level = 1,
}

local function new_space(name, indexes)
    local space = box.schema.space.create(name)
    for _, index in ipairs(indexes) do
        space:create_index(index[1], { parts = index[2] })
    end
    return space
end

local customers = new_space('customers', {
    { 'number', { 1, 'unsigned' } },
    { 'user', { 2, 'string' } },
})
local events = new_space('events', {
    { 'seq', { 1, 'unsigned' } },
    { 'message', { 2, 'string' } },
    { 'timeline', { 3, 'unsigned', 1, 'unsigned' } },
})
local reminders = new_space('reminders', {
    { 'due', { 1, 'number', 2, 'unsigned', 3, 'unsigned' } },
})
local messages = new_space('messages', {
    { 'id', { 1, 'unsigned', 2, 'string' } },
})

-- What the rules see of the customer of the event at hand.
local now = { number = 0, seq = 0, orders = 0, revenue = 0, tier = '' }

local rules = {
    function(event)
        now.orders = now.orders + 1
        now.revenue = now.revenue + event.properties.total
    end,
    function(event)
        if event.properties.total > 990 then
            reminders:insert { clock.time() + REMINDER_SECONDS, now.number, now.seq }
        end
    end,
    function()
        if now.orders % 50 == 0 then
            messages:replace { now.seq, 'log', 'thanks' }
        end
    end,
}
for i = 4, 10 do
    rules[i] = function(event)
        if event.properties.currency == 'EUR' and now.tier == 'gold' then
            messages:replace { now.seq, 'log', 'gold ' .. i }
        end
    end
end

local last_customer, last_event = 0, 0

local function customer_of(user)
    local customer = customers.index.user:get { user }
    if customer == nil then
        last_customer = last_customer + 1
        customer = customers:insert { last_customer, user, 'silver', 0, 0 }
    end
    return customer
end

local function apply(line)
    local event = json.decode(line)
    if events.index.message:get { event.messageId } ~= nil then
        return
    end
    local customer = customer_of(event.userId)
    last_event = last_event + 1
    now.number, now.seq, now.tier = customer[1], last_event, customer[3]
    now.orders, now.revenue = customer[4], customer[5]
    events:insert { last_event, event.messageId, now.number, line }
    for i = 1, #rules do
        rules[i](event)
    end
    customers:update(now.number, { { '=', 4, now.orders }, { '=', 5, now.revenue } })
end

local function apply_batch(lines)
    box.begin()
    for i = 1, #lines do
        apply(lines[i])
    end
    box.commit()
end

local began = clock.monotonic()
local lines, count = {}, 0
for line in io.lines(path) do
    lines[#lines + 1] = line
    count = count + 1
    if #lines == batch_max then
        apply_batch(lines)
        lines = {}
    end
end
apply_batch(lines)
print(('%d events in %.3f s'):format(count, clock.monotonic() - began))
os.exit(0)
