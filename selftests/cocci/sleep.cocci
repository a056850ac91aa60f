// SPDX-License-Identifier: GPL-2.0
// Nothing sleeps where it may not: under a spinlock or RCU, in callbacks that
// come in atomic context; and nothing waits for the daemon in callbacks that
// hold a lock of the keyrings. Calls are followed through functions of ours,
// so a finding names the way to what sleeps.
virtual report

@initialize:python@
@@
import re

SLEEPS = re.compile(r"""^(
    mutex_lock(_\w+)?|down(_\w+)?|wait_(event|for|on)_?\w*|msleep\w*|ssleep|usleep_range|
    schedule(_timeout\w*)?|cond_resched|might_sleep|flush_\w+|cancel_\w+_sync|destroy_workqueue|
    synchronize_\w+|rcu_barrier|copy_(from|to|struct_from)_user|(get|put)_user|memdup_user\w*|
    vmemdup_user|strndup_user|kvmalloc\w*|kvzalloc\w*|kvcalloc|vmalloc|vzalloc|kvfree\w*|vfree|
    get_random_bytes_wait|crypto_(alloc|free|wait)_\w+|percpu_ref_(init|exit)|alloc_percpu|
    free_percpu|lookup_user_key|key_create_or_update|request_key\w*|key_put|key_ref_put|
    free_user_ns|kill_fasync)$""", re.X)
WAITS = re.compile(r"^(kv_access|kv_request_wait|kv_upcall_(daemon|engine)|kv_handle_(open|begin))$")

calls = {}     # (file, function) -> [(callee, with GFP_KERNEL)]
sites = []     # (file, line, callee, with GFP_KERNEL, where)
roots = []     # (file, function, what must not be reached, why)
line_of = {}   # (file, function) -> where it begins
noio = []      # (file, line, callee)


def resolve(path, name):
    """Where a function of ours is: in the same file, or the one that defines it."""
    if (path, name) in calls:
        return (path, name)
    where = [k for k in calls if k[1] == name]
    return where[0] if len(where) == 1 else None


def way(path, name, target, seen=()):
    """[name, ..., what matches target] or None."""
    if target.match(name):
        return [name]
    at = resolve(path, name)
    if not at or at in seen:
        return None
    for callee, is_gfp in calls[at]:
        if is_gfp and target is SLEEPS:
            return [name, callee + "(GFP_KERNEL)"]
        tail = way(at[0], callee, target, seen + (at,))
        if tail:
            return [name] + tail
    return None


def note_call(p, f, g, is_gfp):
    calls.setdefault((p[0].file, f), [])
    entry = (g, is_gfp)
    if entry not in calls[(p[0].file, f)]:
        calls[(p[0].file, f)].append(entry)

// --- who calls whom ---------------------------------------------------------

@call@
identifier f, g;
position p;
@@
 f(...) { <+... g@p(...) ...+> }

@script:python@
p << call.p;
f << call.f;
g << call.g;
@@
note_call(p, f, g, False)

@empty@
identifier f;
position p;
@@
 f@p(...) { ... }

@script:python@
p << empty.p;
f << empty.f;
@@
calls.setdefault((p[0].file, f), [])
line_of[(p[0].file, f)] = int(p[0].line)

@gfp@
identifier f, g;
position p;
@@
 f(...) { <+... g@p(..., <+... \(GFP_KERNEL\|GFP_KERNEL_ACCOUNT\|GFP_NOIO\|GFP_USER\) ...+>, ...) ...+> }

@script:python@
p << gfp.p;
f << gfp.f;
g << gfp.g;
@@
note_call(p, f, g, True)

// --- sections -----------------------------------------------------------------

@spin exists@
expression L;
identifier g;
position p;
@@
 \(spin_lock\|spin_lock_irqsave\|spin_lock_bh\|read_lock\|write_lock\)(L, ...)
 ... when != \(spin_unlock\|spin_unlock_irqrestore\|spin_unlock_bh\|read_unlock\|write_unlock\)(L, ...)
 g@p(...)

@script:python@
p << spin.p;
g << spin.g;
@@
sites.append((p[0].file, int(p[0].line), g, False, "under a spinlock"))

@spin_gfp exists@
expression L;
identifier g;
position p;
@@
 \(spin_lock\|spin_lock_irqsave\|spin_lock_bh\|read_lock\|write_lock\)(L, ...)
 ... when != \(spin_unlock\|spin_unlock_irqrestore\|spin_unlock_bh\|read_unlock\|write_unlock\)(L, ...)
 g@p(..., <+... \(GFP_KERNEL\|GFP_KERNEL_ACCOUNT\|GFP_NOIO\|GFP_USER\) ...+>, ...)

@script:python@
p << spin_gfp.p;
g << spin_gfp.g;
@@
sites.append((p[0].file, int(p[0].line), g, True, "under a spinlock"))

@rcu exists@
identifier g;
position p;
@@
 rcu_read_lock()
 ... when != rcu_read_unlock()
 g@p(...)

@script:python@
p << rcu.p;
g << rcu.g;
@@
sites.append((p[0].file, int(p[0].line), g, False, "under RCU"))

@rcu_gfp exists@
identifier g;
position p;
@@
 rcu_read_lock()
 ... when != rcu_read_unlock()
 g@p(..., <+... \(GFP_KERNEL\|GFP_KERNEL_ACCOUNT\|GFP_NOIO\|GFP_USER\) ...+>, ...)

@script:python@
p << rcu_gfp.p;
g << rcu_gfp.g;
@@
sites.append((p[0].file, int(p[0].line), g, True, "under RCU"))

// --- callbacks -----------------------------------------------------------------

@cipher@
identifier s, fn;
identifier m =~ "^(encrypt|decrypt)$";
position p;
@@
 struct skcipher_alg s = { ..., .m = fn@p, ..., };

@script:python@
p << cipher.p;
fn << cipher.fn;
@@
roots.append((p[0].file, fn, SLEEPS, "on the I/O path"))

@done@
identifier fn;
position p;
@@
(
 skcipher_request_set_callback(..., fn@p, ...)
|
 percpu_ref_init(..., fn@p, ...)
|
 call_rcu(..., fn@p)
|
 timer_setup(..., fn@p, ...)
)

@script:python@
p << done.p;
fn << done.fn;
@@
roots.append((p[0].file, fn, SLEEPS, "a callback in atomic context"))

@walk@
identifier fn;
position p;
@@
 kv_server_for_each(fn@p, ...)

@script:python@
p << walk.p;
fn << walk.fn;
@@
roots.append((p[0].file, fn, SLEEPS, "called under kv_upcall_lock"))

@atomic_key@
identifier s, fn;
position p;
@@
 struct key_type s = { ..., .describe = fn@p, ..., };

@script:python@
p << atomic_key.p;
fn << atomic_key.fn;
@@
roots.append((p[0].file, fn, SLEEPS, "called under the lock of /proc/keys"))

@locked_key@
identifier s, fn;
identifier m =~ "^(vet_description|match_preparse|match_free|preparse|free_preparse|instantiate|update|revoke|destroy|read)$";
position p;
@@
 struct key_type s = { ..., .m = fn@p, ..., };

@script:python@
p << locked_key.p;
fn << locked_key.fn;
@@
roots.append((p[0].file, fn, WAITS, "called with locks of the keyrings"))

// setkey of a cipher comes on the way to a disk: memory must not wait for one.
@setkey@
identifier s, fn;
@@
 struct skcipher_alg s = { ..., .setkey = fn, ..., };

@noio exists@
identifier setkey.fn, g;
position p;
@@
 fn(...) {
 ... when != memalloc_noio_save()
     when any
 g@p(...)
 ... when any
 }

@script:python@
p << noio.p;
g << noio.g;
@@
noio.append((p[0].file, int(p[0].line), g))

@finalize:python@
@@
for path, line, g, is_gfp, where in sites:
    if is_gfp:
        print(f"{path}:{line}: {g}(GFP_KERNEL) {where}")
        continue
    steps = way(path, g, SLEEPS)
    if steps:
        print(f"{path}:{line}: {' -> '.join(steps)} {where}")
for path, fn, target, why in roots:
    steps = way(path, fn, target)
    if steps:
        print(f"{path}:{line_of.get((path, fn), 1)}: {' -> '.join(steps)}, {why}")
for path, line, g in noio:
    steps = g != "memalloc_noio_save" and way(path, g, SLEEPS)
    if steps:
        print(f"{path}:{line}: {' -> '.join(steps)} before memalloc_noio_save()")
