// SPDX-License-Identifier: GPL-2.0
// Nobody gets at what is another tenant's: whatever finds an object, a handle
// or a tenant asks whose it is, or who asks, before it is used.
virtual report

@initialize:python@
@@
def found(p, what):
    print(f"{p[0].file}:{p[0].line}: {what}")

// --- keys in keyrings ---------------------------------------------------------
//
// Keyrings pass between namespaces: kv_payload_is_callers() comes first.

@payload exists@
type T;
expression K;
identifier p, m;
position pos;
@@
(
 T p = kv_payload_of(K)@pos;
|
 p = kv_payload_of(K)@pos;
)
 ... when != kv_payload_is_callers(p)
 p->m

@script:python@
p << payload.pos;
@@
found(p, "the payload of a key is used, and its tenant was not asked for")

// --- files ------------------------------------------------------------------------
//
// caller_get() compares the file's tenant with the caller's.

@opened exists@
identifier fn, f, fp, g != caller_get, m;
position pos;
@@
 fn(struct file *fp, ...) {
 ... when any
 struct kv_file *f = fp->private_data@pos;
 ... when != caller_get(f, ...)
(
 g(f, ...)
|
 f->m
)
 ... when any
 }

@script:python@
p << opened.pos;
@@
found(p, "a file is used, and its tenant was not compared with the caller's")

@direct@
identifier g =~ "^kv_op_";
expression fp;
position pos;
@@
 g@pos(fp->private_data, ...)

@script:python@
p << direct.pos;
@@
found(p, "a file is used, and its tenant was not compared with the caller's")

// --- handles ------------------------------------------------------------------------
//
// kv_handle_begin() authorises each single operation. The names are of those
// that run one.

// With ret not 0 it does not get there.
@begun exists@
expression h, ret;
identifier l;
identifier run =~ "^(crypt_(symmetric|engine|recorded)|kv_crypto_run|run_pinned|kv_upcall_engine|operate_recorded|copy_payload|project|derive|kv_object_attach)$";
position pos;
@@
 if (!ret) ret = kv_handle_begin(h, ...);
 if (ret) goto l;
 ... when any
 run@pos(...)

@handle exists@
type T;
identifier h;
identifier run =~ "^(crypt_(symmetric|engine|recorded)|kv_crypto_run|run_pinned|kv_upcall_engine|operate_recorded|copy_payload|project|derive|kv_object_attach)$";
position pos != begun.pos;
@@
(
 T h = \(kv_file_handle\|kv_handle_open\|payload_handle\)(...);
|
 h = \(kv_file_handle\|kv_handle_open\|payload_handle\)(...);
)
 ... when != kv_handle_begin(h, ...)
 run@pos(...)

@script:python@
p << handle.pos;
@@
found(p, "an operation runs, and kv_handle_begin() has not authorised it")

// The like where the handle is an argument, of what others can call.
@passed exists@
identifier fn =~ "^kv_", h;
identifier run =~ "^(project|derive|run_pinned|kv_upcall_engine|kv_crypto_run|kv_object_attach)$";
position pos;
@@
 fn(..., struct kv_handle *h, ...) {
 ... when != kv_handle_begin(h, ...)
 run@pos(...)
 ... when any
 }

@script:python@
p << passed.pos;
@@
found(p, "an operation runs, and kv_handle_begin() has not authorised it")

// A standing grant is for the tenant whose id the token has.
@token exists@
identifier fn, tok, who;
position pos;
@@
 fn(struct kv_caller *who, const struct kvault_token *tok, ...) {
 ... when != memcmp(tok->tenant, who->tenant->id, ...)
 \(kv_access@pos\|kv_object_find@pos\|kv_object_attach@pos\)(...)
 ... when any
 }

@script:python@
p << token.pos;
@@
found(p, "a token is used, and its tenant was not compared with the caller's")

// --- what a binding says ---------------------------------------------------------
//
// A binding comes from the daemon: that it is the tenant's is checked before a
// blob is opened or sealed with it, or an object is made of it.

@binding exists@
local idexpression struct kvault_binding *b;
local idexpression struct kvault_binding v;
identifier s, m;
identifier use =~ "^(kv_unseal|kv_seal|find_or_new|submit)$";
position pos;
@@
(
 copy_from_user(&v, ...)
|
 copy_from_user(&s->m, ...)
|
 b = memdup_user(...)
|
 b = kv_copy_in(...)
)
 ... when != kv_binding_check(..., b)
     when != kv_binding_check(..., &v)
     when != kv_binding_check(..., &s->m)
(
 use@pos(..., b, ...)
|
 use@pos(..., &v, ...)
|
 use@pos(..., s, ...)
|
 use@pos(..., &s->m, ...)
)

@script:python@
p << binding.pos;
@@
found(p, "a binding is used, and it was not compared with the tenant")

@declared exists@
identifier b;
identifier use =~ "^(kv_unseal|kv_seal|find_or_new|submit)$";
position pos;
@@
  struct kvault_binding *b = \(kv_copy_in\|memdup_user\)(...);
 ... when != kv_binding_check(..., b)
 use@pos(..., b, ...)

@returned exists@
local idexpression struct kvault_binding *b;
position pos;
@@
 b = kv_copy_in(...);
 ... when != kv_binding_check(..., b)
     when != IS_ERR(b)
 return b@pos;

@returned_late exists@
local idexpression struct kvault_binding *b;
statement S;
position pos;
@@
 b = kv_copy_in(...);
 if (IS_ERR(b)) S
 ... when != kv_binding_check(..., b)
 return b@pos;

@script:python@
p << declared.pos;
@@
found(p, "a binding is used, and it was not compared with the tenant")

@script:python@
p << returned.pos;
@@
found(p, "a binding is used, and it was not compared with the tenant")

@script:python@
p << returned_late.pos;
@@
found(p, "a binding is used, and it was not compared with the tenant")

@granted exists@
identifier fn, g;
position pos;
@@
 fn(..., const struct kvault_grant *g, ...) {
 ... when != kv_binding_check(..., &g->binding)
 find_or_new@pos(..., &g->binding)
 ... when any
 }

@script:python@
p << granted.pos;
@@
found(p, "a binding is used, and it was not compared with the tenant")

// --- whose word it is ---------------------------------------------------------------
//
// Ioctls of the control node are the claimant's, operations of netlink come
// from the socket that HELLO bound to the claim.

@asked@
expression E, fp;
identifier g =~ "^(kv_|copy_binding)";
position q;
@@
 claimant(fp) ? <+... g@q(...) ...+> : E

@control exists@
identifier fn =~ "^ctl_";
identifier fp, p;
identifier g =~ "^(kv_|copy_binding)";
position pos, q != asked.q;
@@
 fn@pos(struct file *fp, void *p) {
 ... when != claimant(fp)
 g@q(...)
 ... when any
 }

@script:python@
p << control.pos;
@@
found(p, "an ioctl of the control node does not ask for the claim")

@netlink exists@
identifier fn =~ "^kv_nl_";
identifier skb, x;
type T;
identifier g =~ "^(kv_(tenant|object|audit|server|link_(seen|bye))|dump_)";
position pos;
@@
 fn@pos(struct sk_buff *skb, T *x) {
 ... when != \(kv_link_check\|kv_link_hello\|named_tenant\)(...)
 g(...)
 ... when any
 }

@script:python@
p << netlink.pos;
@@
found(p, "an operation of netlink does not ask whose socket it is")
