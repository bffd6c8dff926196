/* abi.c -- the contract that was released, held by the compiler.
 *
 * A plugin is built with its own copy of kith.h and never again.  Whatever becomes of the header
 * here, each number of it that such a plugin has compiled in must stay: Kith does not build
 * otherwise.  Written by tools/abi.py from plugins/sdk/kith.abi; what may be added, and where, is
 * in docs/plugins.md.
 */
#include "plugins/sdk/kith.h"

#if UINTPTR_MAX > UINT32_MAX
_Static_assert(KITH_ABI == 1, "KITH_ABI");
_Static_assert(KITH_NESTING_MAX == 16, "KITH_NESTING_MAX");
_Static_assert(KITH_HMAC_SIZE == 68, "KITH_HMAC_SIZE");
_Static_assert(KITH_OK == 0, "KITH_OK");
_Static_assert(KITH_FAILED == -1, "KITH_FAILED");
_Static_assert(KITH_MISSING == -2, "KITH_MISSING");
_Static_assert(KITH_DENIED == -3, "KITH_DENIED");
_Static_assert(KITH_INVALID == -4, "KITH_INVALID");
_Static_assert(KITH_LIMIT == -5, "KITH_LIMIT");
_Static_assert(KITH_BUSY == -6, "KITH_BUSY");
_Static_assert(KITH_IO == -7, "KITH_IO");

_Static_assert(sizeof(struct kith_text) == 16, "kith_text");
_Static_assert(offsetof(struct kith_text, data) == 0, "kith_text.data");
_Static_assert(offsetof(struct kith_text, size) == 8, "kith_text.size");

_Static_assert(sizeof(struct kith_doc) == 16, "kith_doc");
_Static_assert(offsetof(struct kith_doc, data) == 0, "kith_doc.data");
_Static_assert(offsetof(struct kith_doc, size) == 8, "kith_doc.size");
_Static_assert(KITH_NONE == 0, "KITH_NONE");
_Static_assert(KITH_DOUBLE == 1, "KITH_DOUBLE");
_Static_assert(KITH_TEXT == 2, "KITH_TEXT");
_Static_assert(KITH_DOC == 3, "KITH_DOC");
_Static_assert(KITH_ARRAY == 4, "KITH_ARRAY");
_Static_assert(KITH_BINARY == 5, "KITH_BINARY");
_Static_assert(KITH_BOOL == 8, "KITH_BOOL");
_Static_assert(KITH_TIME == 9, "KITH_TIME");
_Static_assert(KITH_NULL == 10, "KITH_NULL");
_Static_assert(KITH_INT == 18, "KITH_INT");
_Static_assert(KITH_DECIMAL == 19, "KITH_DECIMAL");

_Static_assert(sizeof(struct kith_value) == 16, "kith_value");
_Static_assert(offsetof(struct kith_value, type) == 0, "kith_value.type");
_Static_assert(offsetof(struct kith_value, size) == 4, "kith_value.size");
_Static_assert(offsetof(struct kith_value, as) == 8, "kith_value.as");
_Static_assert(offsetof(struct kith_value, as.integer) == 8, "kith_value.as.integer");
_Static_assert(offsetof(struct kith_value, as.number) == 8, "kith_value.as.number");
_Static_assert(offsetof(struct kith_value, as.bytes) == 8, "kith_value.as.bytes");

_Static_assert(sizeof(struct kith_engine) >= 112, "kith_engine");
_Static_assert(offsetof(struct kith_engine, size) == 0, "kith_engine.size");
_Static_assert(offsetof(struct kith_engine, level) == 8, "kith_engine.level");
_Static_assert(offsetof(struct kith_engine, reserved) == 12, "kith_engine.reserved");
_Static_assert(offsetof(struct kith_engine, read) == 16, "kith_engine.read");
_Static_assert(offsetof(struct kith_engine, state) == 24, "kith_engine.state");
_Static_assert(offsetof(struct kith_engine, config) == 32, "kith_engine.config");
_Static_assert(offsetof(struct kith_engine, arguments) == 40, "kith_engine.arguments");
_Static_assert(offsetof(struct kith_engine, now) == 48, "kith_engine.now");
_Static_assert(offsetof(struct kith_engine, keep) == 56, "kith_engine.keep");
_Static_assert(offsetof(struct kith_engine, publish) == 64, "kith_engine.publish");
_Static_assert(offsetof(struct kith_engine, emit) == 72, "kith_engine.emit");
_Static_assert(offsetof(struct kith_engine, act) == 80, "kith_engine.act");
_Static_assert(offsetof(struct kith_engine, answer) == 88, "kith_engine.answer");
_Static_assert(offsetof(struct kith_engine, note) == 96, "kith_engine.note");
_Static_assert(offsetof(struct kith_engine, fail) == 104, "kith_engine.fail");

_Static_assert(sizeof(struct kith_handler) >= 40, "kith_handler");
_Static_assert(offsetof(struct kith_handler, size) == 0, "kith_handler.size");
_Static_assert(offsetof(struct kith_handler, name) == 8, "kith_handler.name");
_Static_assert(offsetof(struct kith_handler, types) == 16, "kith_handler.types");
_Static_assert(offsetof(struct kith_handler, reads) == 24, "kith_handler.reads");
_Static_assert(offsetof(struct kith_handler, run) == 32, "kith_handler.run");

_Static_assert(sizeof(struct kith_function) >= 56, "kith_function");
_Static_assert(offsetof(struct kith_function, size) == 0, "kith_function.size");
_Static_assert(offsetof(struct kith_function, name) == 8, "kith_function.name");
_Static_assert(offsetof(struct kith_function, usage) == 16, "kith_function.usage");
_Static_assert(offsetof(struct kith_function, about) == 24, "kith_function.about");
_Static_assert(offsetof(struct kith_function, reads) == 32, "kith_function.reads");
_Static_assert(offsetof(struct kith_function, run) == 40, "kith_function.run");
_Static_assert(offsetof(struct kith_function, takes) == 48, "kith_function.takes");

_Static_assert(sizeof(struct kith_state) >= 56, "kith_state");
_Static_assert(offsetof(struct kith_state, size) == 0, "kith_state.size");
_Static_assert(offsetof(struct kith_state, key) == 8, "kith_state.key");
_Static_assert(offsetof(struct kith_state, version) == 16, "kith_state.version");
_Static_assert(offsetof(struct kith_state, reserved) == 20, "kith_state.reserved");
_Static_assert(offsetof(struct kith_state, merge) == 24, "kith_state.merge");
_Static_assert(offsetof(struct kith_state, unmerge) == 32, "kith_state.unmerge");
_Static_assert(offsetof(struct kith_state, migrate) == 40, "kith_state.migrate");
_Static_assert(offsetof(struct kith_state, give) == 48, "kith_state.give");
_Static_assert(KITH_PERSONAL == 1, "KITH_PERSONAL");

_Static_assert(sizeof(struct kith_trait) >= 40, "kith_trait");
_Static_assert(offsetof(struct kith_trait, size) == 0, "kith_trait.size");
_Static_assert(offsetof(struct kith_trait, name) == 8, "kith_trait.name");
_Static_assert(offsetof(struct kith_trait, type) == 16, "kith_trait.type");
_Static_assert(offsetof(struct kith_trait, about) == 24, "kith_trait.about");
_Static_assert(offsetof(struct kith_trait, flags) == 32, "kith_trait.flags");
_Static_assert(offsetof(struct kith_trait, reserved) == 36, "kith_trait.reserved");

_Static_assert(sizeof(struct kith_kind) >= 24, "kith_kind");
_Static_assert(offsetof(struct kith_kind, size) == 0, "kith_kind.size");
_Static_assert(offsetof(struct kith_kind, name) == 8, "kith_kind.name");
_Static_assert(offsetof(struct kith_kind, json) == 16, "kith_kind.json");

_Static_assert(sizeof(struct kith_event) >= 120, "kith_event");
_Static_assert(offsetof(struct kith_event, size) == 0, "kith_event.size");
_Static_assert(offsetof(struct kith_event, type) == 8, "kith_event.type");
_Static_assert(offsetof(struct kith_event, customer) == 16, "kith_event.customer");
_Static_assert(offsetof(struct kith_event, id) == 32, "kith_event.id");
_Static_assert(offsetof(struct kith_event, at) == 48, "kith_event.at");
_Static_assert(offsetof(struct kith_event, data) == 56, "kith_event.data");
_Static_assert(offsetof(struct kith_event, about) == 72, "kith_event.about");
_Static_assert(offsetof(struct kith_event, request) == 88, "kith_event.request");
_Static_assert(offsetof(struct kith_event, creates) == 96, "kith_event.creates");
_Static_assert(offsetof(struct kith_event, reserved) == 100, "kith_event.reserved");
_Static_assert(offsetof(struct kith_event, traits) == 104, "kith_event.traits");

_Static_assert(sizeof(struct kith_ask) >= 88, "kith_ask");
_Static_assert(offsetof(struct kith_ask, size) == 0, "kith_ask.size");
_Static_assert(offsetof(struct kith_ask, method) == 8, "kith_ask.method");
_Static_assert(offsetof(struct kith_ask, path) == 16, "kith_ask.path");
_Static_assert(offsetof(struct kith_ask, body) == 24, "kith_ask.body");
_Static_assert(offsetof(struct kith_ask, staff) == 40, "kith_ask.staff");
_Static_assert(offsetof(struct kith_ask, key) == 56, "kith_ask.key");
_Static_assert(offsetof(struct kith_ask, match) == 72, "kith_ask.match");
_Static_assert(KITH_FETCH_PRIVATE == 1, "KITH_FETCH_PRIVATE");
_Static_assert(KITH_FETCH_ONCE == 2, "KITH_FETCH_ONCE");

_Static_assert(sizeof(struct kith_fetch) >= 144, "kith_fetch");
_Static_assert(offsetof(struct kith_fetch, size) == 0, "kith_fetch.size");
_Static_assert(offsetof(struct kith_fetch, method) == 8, "kith_fetch.method");
_Static_assert(offsetof(struct kith_fetch, url) == 16, "kith_fetch.url");
_Static_assert(offsetof(struct kith_fetch, headers) == 24, "kith_fetch.headers");
_Static_assert(offsetof(struct kith_fetch, body) == 32, "kith_fetch.body");
_Static_assert(offsetof(struct kith_fetch, body_size) == 40, "kith_fetch.body_size");
_Static_assert(offsetof(struct kith_fetch, timeout_ms) == 48, "kith_fetch.timeout_ms");
_Static_assert(offsetof(struct kith_fetch, answer_max) == 56, "kith_fetch.answer_max");
_Static_assert(offsetof(struct kith_fetch, flags) == 64, "kith_fetch.flags");
_Static_assert(offsetof(struct kith_fetch, reserved) == 68, "kith_fetch.reserved");
_Static_assert(offsetof(struct kith_fetch, ca) == 72, "kith_fetch.ca");
_Static_assert(offsetof(struct kith_fetch, credentials) == 80, "kith_fetch.credentials");
_Static_assert(offsetof(struct kith_fetch, effect) == 88, "kith_fetch.effect");
_Static_assert(offsetof(struct kith_fetch, attempt) == 104, "kith_fetch.attempt");
_Static_assert(offsetof(struct kith_fetch, form) == 112, "kith_fetch.form");
_Static_assert(offsetof(struct kith_fetch, message) == 128, "kith_fetch.message");
_Static_assert(KITH_READABLE == 1, "KITH_READABLE");
_Static_assert(KITH_WRITABLE == 2, "KITH_WRITABLE");
_Static_assert(KITH_SENT == 0, "KITH_SENT");
_Static_assert(KITH_REJECTED == 1, "KITH_REJECTED");
_Static_assert(KITH_RETRY == 2, "KITH_RETRY");
_Static_assert(KITH_UNCERTAIN == 3, "KITH_UNCERTAIN");

_Static_assert(sizeof(struct kith_outcome) >= 40, "kith_outcome");
_Static_assert(offsetof(struct kith_outcome, size) == 0, "kith_outcome.size");
_Static_assert(offsetof(struct kith_outcome, outcome) == 8, "kith_outcome.outcome");
_Static_assert(offsetof(struct kith_outcome, reserved) == 12, "kith_outcome.reserved");
_Static_assert(offsetof(struct kith_outcome, detail) == 16, "kith_outcome.detail");
_Static_assert(offsetof(struct kith_outcome, wait_ms) == 32, "kith_outcome.wait_ms");

_Static_assert(sizeof(struct kith_reply) >= 40, "kith_reply");
_Static_assert(offsetof(struct kith_reply, size) == 0, "kith_reply.size");
_Static_assert(offsetof(struct kith_reply, status) == 8, "kith_reply.status");
_Static_assert(offsetof(struct kith_reply, reserved) == 12, "kith_reply.reserved");
_Static_assert(offsetof(struct kith_reply, headers) == 16, "kith_reply.headers");
_Static_assert(offsetof(struct kith_reply, body) == 24, "kith_reply.body");
_Static_assert(offsetof(struct kith_reply, body_size) == 32, "kith_reply.body_size");
_Static_assert(KITH_DEBUG == 0, "KITH_DEBUG");
_Static_assert(KITH_INFO == 1, "KITH_INFO");
_Static_assert(KITH_WARNING == 2, "KITH_WARNING");
_Static_assert(KITH_ERROR == 3, "KITH_ERROR");

_Static_assert(sizeof(struct kith_host) >= 192, "kith_host");
_Static_assert(offsetof(struct kith_host, size) == 0, "kith_host.size");
_Static_assert(offsetof(struct kith_host, level) == 8, "kith_host.level");
_Static_assert(offsetof(struct kith_host, reserved) == 12, "kith_host.reserved");
_Static_assert(offsetof(struct kith_host, config) == 16, "kith_host.config");
_Static_assert(offsetof(struct kith_host, log) == 24, "kith_host.log");
_Static_assert(offsetof(struct kith_host, count) == 32, "kith_host.count");
_Static_assert(offsetof(struct kith_host, now) == 40, "kith_host.now");
_Static_assert(offsetof(struct kith_host, random) == 48, "kith_host.random");
_Static_assert(offsetof(struct kith_host, append) == 56, "kith_host.append");
_Static_assert(offsetof(struct kith_host, ask) == 64, "kith_host.ask");
_Static_assert(offsetof(struct kith_host, fetch) == 72, "kith_host.fetch");
_Static_assert(offsetof(struct kith_host, timer) == 80, "kith_host.timer");
_Static_assert(offsetof(struct kith_host, cancel) == 88, "kith_host.cancel");
_Static_assert(offsetof(struct kith_host, watch) == 96, "kith_host.watch");
_Static_assert(offsetof(struct kith_host, listen) == 104, "kith_host.listen");
_Static_assert(offsetof(struct kith_host, work) == 112, "kith_host.work");
_Static_assert(offsetof(struct kith_host, file_read) == 120, "kith_host.file_read");
_Static_assert(offsetof(struct kith_host, file_write) == 128, "kith_host.file_write");
_Static_assert(offsetof(struct kith_host, deliver) == 136, "kith_host.deliver");
_Static_assert(offsetof(struct kith_host, pause) == 144, "kith_host.pause");
_Static_assert(offsetof(struct kith_host, reply) == 152, "kith_host.reply");
_Static_assert(offsetof(struct kith_host, to_json) == 160, "kith_host.to_json");
_Static_assert(offsetof(struct kith_host, from_json) == 168, "kith_host.from_json");
_Static_assert(offsetof(struct kith_host, from_form) == 176, "kith_host.from_form");
_Static_assert(offsetof(struct kith_host, hmac) == 184, "kith_host.hmac");

_Static_assert(sizeof(struct kith_message) >= 64, "kith_message");
_Static_assert(offsetof(struct kith_message, size) == 0, "kith_message.size");
_Static_assert(offsetof(struct kith_message, effect) == 8, "kith_message.effect");
_Static_assert(offsetof(struct kith_message, attempt) == 24, "kith_message.attempt");
_Static_assert(offsetof(struct kith_message, message) == 32, "kith_message.message");
_Static_assert(offsetof(struct kith_message, channel) == 48, "kith_message.channel");
_Static_assert(KITH_CLOSED == 0, "KITH_CLOSED");
_Static_assert(KITH_OPEN == 1, "KITH_OPEN");
_Static_assert(KITH_HALF_OPEN == 2, "KITH_HALF_OPEN");

_Static_assert(sizeof(struct kith_channel_status) >= 56, "kith_channel_status");
_Static_assert(offsetof(struct kith_channel_status, size) == 0, "kith_channel_status.size");
_Static_assert(offsetof(struct kith_channel_status, window) == 8, "kith_channel_status.window");
_Static_assert(offsetof(struct kith_channel_status, wait_ms) == 16, "kith_channel_status.wait_ms");
_Static_assert(offsetof(struct kith_channel_status, target) == 24, "kith_channel_status.target");
_Static_assert(offsetof(struct kith_channel_status, channel) == 32, "kith_channel_status.channel");
_Static_assert(offsetof(struct kith_channel_status, circuit) == 48, "kith_channel_status.circuit");
_Static_assert(offsetof(struct kith_channel_status, failures) == 52,
               "kith_channel_status.failures");
_Static_assert(KITH_NEEDS_ADDRESS == 1, "KITH_NEEDS_ADDRESS");
_Static_assert(KITH_IDEMPOTENT == 2, "KITH_IDEMPOTENT");
_Static_assert(KITH_MACHINE == 4, "KITH_MACHINE");
_Static_assert(KITH_HTML == 8, "KITH_HTML");
_Static_assert(KITH_MARKDOWN == 16, "KITH_MARKDOWN");
_Static_assert(KITH_FILES == 32, "KITH_FILES");

_Static_assert(sizeof(struct kith_channel) >= 40, "kith_channel");
_Static_assert(offsetof(struct kith_channel, size) == 0, "kith_channel.size");
_Static_assert(offsetof(struct kith_channel, name) == 8, "kith_channel.name");
_Static_assert(offsetof(struct kith_channel, flags) == 16, "kith_channel.flags");
_Static_assert(offsetof(struct kith_channel, reserved) == 20, "kith_channel.reserved");
_Static_assert(offsetof(struct kith_channel, send) == 24, "kith_channel.send");
_Static_assert(offsetof(struct kith_channel, status) == 32, "kith_channel.status");

_Static_assert(sizeof(struct kith_param) == 32, "kith_param");
_Static_assert(offsetof(struct kith_param, name) == 0, "kith_param.name");
_Static_assert(offsetof(struct kith_param, value) == 16, "kith_param.value");

_Static_assert(sizeof(struct kith_request) >= 152, "kith_request");
_Static_assert(offsetof(struct kith_request, size) == 0, "kith_request.size");
_Static_assert(offsetof(struct kith_request, id) == 8, "kith_request.id");
_Static_assert(offsetof(struct kith_request, method) == 16, "kith_request.method");
_Static_assert(offsetof(struct kith_request, path) == 24, "kith_request.path");
_Static_assert(offsetof(struct kith_request, query) == 40, "kith_request.query");
_Static_assert(offsetof(struct kith_request, params) == 56, "kith_request.params");
_Static_assert(offsetof(struct kith_request, param_count) == 64, "kith_request.param_count");
_Static_assert(offsetof(struct kith_request, headers) == 72, "kith_request.headers");
_Static_assert(offsetof(struct kith_request, header_count) == 80, "kith_request.header_count");
_Static_assert(offsetof(struct kith_request, body) == 88, "kith_request.body");
_Static_assert(offsetof(struct kith_request, body_size) == 96, "kith_request.body_size");
_Static_assert(offsetof(struct kith_request, key) == 104, "kith_request.key");
_Static_assert(offsetof(struct kith_request, staff) == 120, "kith_request.staff");
_Static_assert(offsetof(struct kith_request, peer) == 136, "kith_request.peer");
_Static_assert(KITH_AUTH_NONE == 0, "KITH_AUTH_NONE");
_Static_assert(KITH_AUTH_WRITE == 1, "KITH_AUTH_WRITE");
_Static_assert(KITH_AUTH_READ == 2, "KITH_AUTH_READ");
_Static_assert(KITH_AUTH_STAFF == 3, "KITH_AUTH_STAFF");
_Static_assert(KITH_AUTH_ADMIN == 4, "KITH_AUTH_ADMIN");

_Static_assert(sizeof(struct kith_route) >= 64, "kith_route");
_Static_assert(offsetof(struct kith_route, size) == 0, "kith_route.size");
_Static_assert(offsetof(struct kith_route, method) == 8, "kith_route.method");
_Static_assert(offsetof(struct kith_route, path) == 16, "kith_route.path");
_Static_assert(offsetof(struct kith_route, summary) == 24, "kith_route.summary");
_Static_assert(offsetof(struct kith_route, openapi) == 32, "kith_route.openapi");
_Static_assert(offsetof(struct kith_route, auth) == 40, "kith_route.auth");
_Static_assert(offsetof(struct kith_route, reserved) == 44, "kith_route.reserved");
_Static_assert(offsetof(struct kith_route, body_max) == 48, "kith_route.body_max");
_Static_assert(offsetof(struct kith_route, handle) == 56, "kith_route.handle");

_Static_assert(sizeof(struct kith_job) >= 32, "kith_job");
_Static_assert(offsetof(struct kith_job, size) == 0, "kith_job.size");
_Static_assert(offsetof(struct kith_job, name) == 8, "kith_job.name");
_Static_assert(offsetof(struct kith_job, every_ms) == 16, "kith_job.every_ms");
_Static_assert(offsetof(struct kith_job, run) == 24, "kith_job.run");
_Static_assert(KITH_REQUIRED == 1, "KITH_REQUIRED");
_Static_assert(KITH_SECRET == 2, "KITH_SECRET");
_Static_assert(KITH_OUTSIDE == 4, "KITH_OUTSIDE");

_Static_assert(sizeof(struct kith_field) >= 72, "kith_field");
_Static_assert(offsetof(struct kith_field, size) == 0, "kith_field.size");
_Static_assert(offsetof(struct kith_field, name) == 8, "kith_field.name");
_Static_assert(offsetof(struct kith_field, type) == 16, "kith_field.type");
_Static_assert(offsetof(struct kith_field, standard) == 24, "kith_field.standard");
_Static_assert(offsetof(struct kith_field, about) == 32, "kith_field.about");
_Static_assert(offsetof(struct kith_field, flags) == 40, "kith_field.flags");
_Static_assert(offsetof(struct kith_field, reserved) == 44, "kith_field.reserved");
_Static_assert(offsetof(struct kith_field, fields) == 48, "kith_field.fields");
_Static_assert(offsetof(struct kith_field, least) == 56, "kith_field.least");
_Static_assert(offsetof(struct kith_field, most) == 64, "kith_field.most");

_Static_assert(sizeof(struct kith_plugin) >= 152, "kith_plugin");
_Static_assert(offsetof(struct kith_plugin, size) == 0, "kith_plugin.size");
_Static_assert(offsetof(struct kith_plugin, abi) == 8, "kith_plugin.abi");
_Static_assert(offsetof(struct kith_plugin, reserved) == 12, "kith_plugin.reserved");
_Static_assert(offsetof(struct kith_plugin, name) == 16, "kith_plugin.name");
_Static_assert(offsetof(struct kith_plugin, version) == 24, "kith_plugin.version");
_Static_assert(offsetof(struct kith_plugin, about) == 32, "kith_plugin.about");
_Static_assert(offsetof(struct kith_plugin, needs) == 40, "kith_plugin.needs");
_Static_assert(offsetof(struct kith_plugin, config) == 48, "kith_plugin.config");
_Static_assert(offsetof(struct kith_plugin, handlers) == 56, "kith_plugin.handlers");
_Static_assert(offsetof(struct kith_plugin, functions) == 64, "kith_plugin.functions");
_Static_assert(offsetof(struct kith_plugin, states) == 72, "kith_plugin.states");
_Static_assert(offsetof(struct kith_plugin, traits) == 80, "kith_plugin.traits");
_Static_assert(offsetof(struct kith_plugin, kinds) == 88, "kith_plugin.kinds");
_Static_assert(offsetof(struct kith_plugin, channels) == 96, "kith_plugin.channels");
_Static_assert(offsetof(struct kith_plugin, routes) == 104, "kith_plugin.routes");
_Static_assert(offsetof(struct kith_plugin, jobs) == 112, "kith_plugin.jobs");
_Static_assert(offsetof(struct kith_plugin, start) == 120, "kith_plugin.start");
_Static_assert(offsetof(struct kith_plugin, stop) == 128, "kith_plugin.stop");
_Static_assert(offsetof(struct kith_plugin, erased) == 136, "kith_plugin.erased");
_Static_assert(offsetof(struct kith_plugin, reread) == 144, "kith_plugin.reread");
#endif
