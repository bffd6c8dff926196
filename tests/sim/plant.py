#!/usr/bin/python3
"""Plants one bug after another and counts the seeds that the simulator needs to find it.

A simulator that finds nothing proves nothing.  Each row is a small mistake that
somebody could make; it is put into a copy of the tree, built, and hunted with fresh
seeds.  A row whose text is no longer in the source is an error: bugs are kept as
current as the code.

    plant.py [--most N] [--only WORD]      ends with `N passed, N failed`: found, not found
"""
import argparse, contextlib, os, re, shutil, signal, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# name, file, text, text with the bug
BUGS = [
    (
        "commits are not flushed",
        "storage/env.c",
        "flags | MDB_NOTLS, FILE_MODE",
        "flags | MDB_NOTLS | MDB_NOSYNC, FILE_MODE",
    ),
    (
        "the directory of a new log is not flushed",
        "core/server/node.c",
        "return rc == 0 ? dir_flush(dir, err) : rc;",
        "return rc;",
    ),
    (
        "acknowledged before the commit",
        "core/server/sequencer.c",
        "    struct err err = { 0 };\n    int64_t before = clock_ns();\n    int rc = log_commit",
        "    struct err err = { 0 };\n    int64_t before = clock_ns();\n"
        "    for (size_t i = 0; i < group->count; i++)\n"
        "        if (group->submissions[i]->done != NULL &&\n"
        "            !group->submissions[i]->wants_applied) {\n"
        "            struct submission *early = group->submissions[i];\n"
        "            early->done(early->arg, early);\n"
        "            early->done = NULL;\n"
        "        }\n"
        "    int rc = log_commit",
    ),
    (
        "recovery repeats the last entry",
        "core/server/fold.c",
        "state_freeze(fold->state, engine_seq(fold->engine), engine_now",
        "state_freeze(fold->state, engine_seq(fold->engine) - 1, engine_now",
    ),
    (
        "recovery skips an entry",
        "core/server/fold.c",
        "state_freeze(fold->state, engine_seq(fold->engine), engine_now",
        "state_freeze(fold->state, engine_seq(fold->engine) + 1, engine_now",
    ),
    (
        "dispatched as soon as the claim is durable",
        "core/server/deliver.c",
        "    if (submission->code != 0 && place != NULL && place->state == PLACE_CLAIMING) {",
        "    if (submission->code == 0 && place != NULL && place->state == PLACE_CLAIMING) {\n"
        "        uint8_t empty[5] = { 5 };\n"
        "        deliver_go(line->deliverer, text_of(errand->id), place->attempt,\n"
        "                   text_of(line->channel.name), (struct doc){ empty, 5 });\n"
        "    }\n"
        "    if (submission->code != 0 && place != NULL && place->state == PLACE_CLAIMING) {",
    ),
    (
        "reports go out during a replay",
        "core/engine/engine_inside.h",
        "return engine->live_from != 0 && engine->seq > engine->live_from;",
        "return engine->live_from != 0;",
    ),
    (
        "open claims of the last run are sent again",
        "core/engine/effect.c",
        "if (channel != NULL && channel->is_idempotent) {",
        "if (channel != NULL) {",
    ),
    (
        "new code takes over a state that nobody kept",
        "core/server/world_log.c",
        "if (rc == 0 && is_code_new && !wanted->rebuild)",
        "if (false)",
    ),
    (
        "dedupe forgets what came before a merge",
        "core/engine/dedupe.c",
        "    if (knows(engine, members, count, event))\n",
        "    bool is_any = members != &nobody && count != 0;\n"
        "    if (knows(engine, members + (is_any ? customer->own : 0), 1, event))\n",
    ),
    (
        "a tick fires without bound",
        "core/engine/timer.c",
        "int64_t left = engine->config.limits.timers_per_tick;",
        "int64_t left = 1000000;",
    ),
    (
        "a moved timer fires at its old time too",
        "core/engine/timer.c",
        "    key_timer(&key, due, owner, name);\n    state_delete(engine->state, &key);\n"
        "    key_of_owner",
        "    key_of_owner",
    ),
    (
        "what a deputy has does not come back",
        "core/engine/absence.c",
        "is_done = walk_list(&walk, 'O', INT64_MAX);",
        "is_done = true;",
    ),
    (
        "a budget looks at one ask and not at all of them",
        "core/engine/budget.c",
        "    else if (amount > left_of(budget))\n",
        "    else if (amount > budget->amount)\n",
    ),
    (
        "whoever is erased keeps her codes",
        "core/engine/subject.c",
        "    if (subject_open(&subject, engine, arena_text(&engine->arena, name)))\n",
        "    if (false)\n",
    ),
    ("a local of a rule lasts", "core/script/sandbox_watch.c", None, None),
    (
        "what a plugin has said is forgotten with whom it was about",
        "core/engine/dedupe.c",
        "    bool is_nobodys = is_of_plugin(event);\n",
        "    bool is_nobodys = false;\n",
    ),
    (
        "a failed rule keeps its changes",
        "core/engine/step.c",
        "    state_undo(engine->state);\n",
        "    state_keep(engine->state);\n",
    ),
    (
        "verdicts are not looked up",
        "core/engine/engine.c",
        "    look_up_verdict(engine);\n",
        "    engine->verdict = (struct doc){ NULL, 0 };\n",
    ),
    (
        "checkpoints do not wait for verdicts",
        "core/server/fold.c",
        "    if (!verdicts_are_durable(fold) || stands_still(fold))\n",
        "    if (stands_still(fold))\n",
    ),
    (
        "events to others are lost in a crash",
        "core/engine/engine.c",
        "    if (engine->seq == engine->live_from) {",
        "    if (engine->seq == 0) {",
    ),
    (
        "the present world is taken for the past",
        "core/server/fold.c",
        "log_world_of(fold->log, entry->seq)",
        "log_world_of(fold->log, UINT64_MAX)",
    ),
    (
        "effects of a changed build are not held",
        "core/engine/engine_inside.h",
        "return engine->world_seq > engine->seq;",
        "return false;",
    ),
    (
        "doubtful messages are not listed",
        "core/engine/effect.c",
        "    if (text_is(effect->state, \"uncertain\")) {\n        struct key key;",
        "    if (false) {\n        struct key key;",
    ),
    (
        "the line of a channel is ignored",
        "core/engine/effect.c",
        "    if (is_first_in_line(engine, effect, &is_empty, &first))\n        make_ready",
        "    is_first_in_line(engine, effect, &is_empty, &first);\n    make_ready",
    ),
    (
        "a reminder with the same key is made anew",
        "core/engine/reminder.c",
        "    *out_task = open != 0 ? task_move",
        "    *out_task = false ? task_move",
    ),
    (
        "a reminder that is done does not say when",
        "core/engine/reminder.c",
        "    task->closed = engine->now;\n",
        "",
    ),
    (
        "a reminder that is done keeps its key",
        "core/engine/reminder.c",
        "    if (task.rule.size != 0)\n        state_delete(engine->state, &key);\n"
        "    change_closed(",
        "    (void)key;\n    change_closed(",
    ),
    (
        "a claim counts without asking the arbiter",
        "core/engine/effect.c",
        "    if (verdict.state != NULL || has_to_wait) {\n",
        "    if (has_to_wait) {\n",
    ),
    (
        "reminders stay in the zone that a customer has left",
        "core/engine/step.c",
        "    if (step->has_moved)\n",
        "    if (false)\n",
    ),
    (
        "a merge moves no reminders",
        "core/engine/merge.c",
        "step->has_moved = step->has_moved || zone != other_zone;",
        "(void)zone, (void)other_zone;",
    ),
    (
        "what a move leaves to later ticks is forgotten",
        "core/engine/moving.c",
        "    if (!move_member(engine, &customer,",
        "    if (false && !move_member(engine, &customer,",
    ),
    (
        "days are counted from the move",
        "core/engine/intent.c",
        "intent_due(&intent, zone, due->base, &ms, NULL) != 0",
        "intent_due(&intent, zone, due->ms, &ms, NULL) != 0",
    ),
    (
        "erasure: a second copy of her event stays",
        "core/engine/calls.c",
        "        erase_note_entry(engine, event->customer, event->customer);\n",
        "",
    ),
    (
        "erasure: an entry that came too late stays",
        "core/engine/commands.c",
        "names_customer && erase_refuse_late(engine, event)",
        "false",
    ),
    (
        "erasure: one that was opened again is done with the one before",
        "core/engine/erase.c",
        "        (done != 0 && done != erasure.done))",
        "        false)",
    ),
    (
        "erasure: her timers go on",
        "core/engine/timer.c",
        "    if (erase_is_open(engine, timer->owner))\n        return;\n",
        "",
    ),
    (
        "erasure: a message that is under way is forgotten at once",
        "core/engine/effect.c",
        "    if (!text_is(effect.state, \"claimed\")) {\n        forget(",
        "    if (true) {\n        forget(",
    ),
    (
        "erasure: nobody goes on with it after a crash",
        "core/engine/engine.c",
        "bool is_told = engine_is_live(engine) || engine->seq == engine->live_from;",
        "bool is_told = engine_is_live(engine);\n"
        "    engine->has_erased = engine->has_erased && is_told;",
    ),
    (
        "erasure: a fold begins where it began before",
        "core/server/purge.c",
        "world_put(&w, purge->options.code, purge->options.config, &purge->base, &purge->base);",
        "world_put(&w, purge->options.code, purge->options.config, &(struct base){ 0 },\n"
        "              &(struct base){ 0 });",
    ),
    (
        "erasure: entries go before the dump that stands for them is durable",
        "core/server/purge.c",
        "    case PHASE_NOTE:\n        if (purge->waits_for_others)",
        "    case PHASE_NOTE:\n        for (size_t i = 0; i < purge->count; i++)\n"
        "            log_erase(purge->options.log, purge->erased[i].seqs, purge->erased[i].count,\n"
        "                      purge->erased[i].customer, NULL);\n"
        "        if (purge->waits_for_others)",
    ),
    (
        "erasure: her file is still hers",
        "core/engine/file.c",
        "    key_number(&key, seq);\n    state_delete(engine->state, &key);\n    key_forgotten",
        "    key_number(&key, seq);\n    key_forgotten",
    ),
    (
        "erasure: what her rules sent to others still names her files",
        "core/engine/erase.c",
        "        file_forget(engine, erasure->number, n, seq);\n"
        "        return true;\n    }\n    case 'R'",
        "        return true;\n    }\n    case 'R'",
    ),
    (
        "erasure: a forgotten file is remembered for ever",
        "core/engine/erase.c",
        "    file_forgotten(engine, number);\n",
        "",
    ),
    (
        "erasure: a step of a copy is not flushed before the copy has its name",
        "storage/env.c",
        "MDB_NOSUBDIR | MDB_NOLOCK,",
        "MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC,",
    ),
    (
        "log time follows the wall clock back",
        "core/server/timekeeper.c",
        "return keeper->last == 0 ? wall : keeper->last;",
        "return wall;",
    ),
    (
        "a template is rendered anew for each attempt",
        "core/engine/effect.c",
        "    if (verdict.state == NULL && !has_to_wait && effect.message.data == NULL)\n",
        "    if (verdict.state == NULL && !has_to_wait)\n",
    ),
    (
        "a text that a record needs may be blank",
        "core/engine/record_change.c",
        "    return value.type != DOC_NONE && !is_blank(&value);\n",
        "    return value.type != DOC_NONE;\n",
    ),
    (
        "a record is changed whatever version was expected",
        "core/engine/record_command.c",
        "if (rc == 0 && expected != 0 && ",
        "if (rc == 0 && expected < 0 && ",
    ),
    (
        "plugin: a merge forgets what the other had",
        "core/engine/plugin_state.c",
        "    put_child(&w, \"absorbed\", absorbed.doc);\n",
        "",
    ),
    (
        "plugin: an unmerge gives nothing back",
        "core/engine/plugin_state.c",
        "    put(engine, leaving, &theirs);\n}",
        "}",
    ),
    (
        "plugin: what its handlers did before it was lost stays",
        "core/engine/plugin_run.c",
        "    else if (are_several)\n        step_undo(step, &point);",
        "    else if (are_several)\n        step_keep(step);",
    ),
    (
        "plugin: an event that is parked again counts twice",
        "core/engine/plugin_run.c",
        "        standing.parked++;\n",
        "        standing.parked += step->event->parked != NULL ? 2 : 1;\n",
    ),
    (
        "plugin: what is new overtakes what is parked",
        "core/engine/plugin_run.c",
        "(presence == PLUGIN_THERE || is_next)",
        "presence != PLUGIN_QUARANTINED",
    ),
    (
        "plugin: a verdict does not say in which call it was lost",
        "core/engine/plugin_again.c",
        '    doc_put_int(&w, "nth", (int64_t)call);\n',
        '    doc_put_int(&w, "nth", (int64_t)call + 1);\n',
    ),
    (
        "plugin: nobody tells the next run which one ended the last",
        "core/server/verdict.c",
        "        log_index_verdict(log, at_seq, doc.data, doc.size);\n",
        "",
    ),
    (
        "plugin: it hears of whoever is being erased",
        "core/engine/plugin_back.c",
        "            if (event == NULL || erase_is_open(engine, event->customer))\n",
        "            if (event == NULL)\n",
    ),
    (
        "plugin: its documents stay in the shape that they had",
        "core/engine/plugin_state.c",
        "    bring_up(engine, &absorbed);\n",
        "",
    ),
    (
        "plugin: what was foreseen counts, whatever has changed since",
        "core/plugin/set_far.c",
        "if (next.size == item.size && memcmp(next.data, item.data, item.size) == 0)",
        "if (!is_before(item, next) && !is_before(next, item))",
    ),
    (
        "plugin: a client speaks in its name where the configuration is older",
        "core/engine/plugin_run.c",
        "        place = plugin_place(engine, event_type_word(name));\n",
        "        place = SIZE_MAX;\n",
    ),
]


def plant(tree, file, good, bad):
    path = os.path.join(tree, file)
    text = open(path).read()
    if good is None:  # the function that puts locals back does nothing
        changed, count = re.subn(r"(void watch_restore\([^)]*\)\n\{)", r"\1\n    return;", text)
    else:
        count, changed = text.count(good), text.replace(good, bad, 1)
    if count == 0:
        raise SystemExit("%s no longer has: %s" % (file, good or "watch_restore"))
    open(path, "w").write(changed)
    return lambda: open(path, "w").write(text)


def build(tree):
    done = subprocess.run(
        ["cmake", "--build", tree + "/build/plant", "--target", "life", "life2"],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout[-3000:])


def hunt(tree, most, seed):
    """A bug may make a life that never ends: whatever ends the hunt ends its lives."""
    command = [sys.executable, tree + "/tests/sim/sim.py", "--life", tree + "/build/plant/life"]
    command += ["--seed", str(seed), "--count", str(most), "--stop"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as hunters:
        try:
            output, _ = hunters.communicate()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(hunters.pid, signal.SIGKILL)
    found = re.search(r"found by seed \d+ after (\d+) seeds", output)
    first = output.splitlines()[0][:150] if output else ""
    return int(found.group(1)) if found else None, first


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=400)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with tempfile.TemporaryDirectory(prefix="kith-plant-") as tree:
        return plant_all(tree, args)


def plant_all(tree, args):
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    ).stdout.split("\n")
    for file in filter(None, files):
        if os.path.exists(os.path.join(ROOT, file)):
            os.makedirs(os.path.dirname(os.path.join(tree, file)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, file), os.path.join(tree, file))
    if os.path.exists(tree + "/tests/sim/seeds.txt"):
        os.remove(tree + "/tests/sim/seeds.txt")  # only new seeds count
    subprocess.run(
        [
            "cmake",
            "-S",
            tree,
            "-B",
            tree + "/build/plant",
            "-G",
            "Ninja",
            "-DBUILD_TESTING=OFF",
            "--compile-no-warning-as-error",
        ],
        check=True,
        capture_output=True,
    )
    found = missed = 0
    for number, (name, file, good, bad) in enumerate(BUGS):
        if args.only not in name:
            continue
        undo = plant(tree, file, good, bad)
        build(tree)
        seeds, first = hunt(tree, args.most, 5000 + 1000 * number)
        undo()
        found, missed = found + (seeds is not None), missed + (seeds is None)
        print(
            "%-48s %s"
            % (
                name,
                "%4d seeds   %s" % (seeds, first) if seeds else "NOT FOUND in %d seeds" % args.most,
            ),
            flush=True,
        )
    print("%d passed, %d failed" % (found, missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
