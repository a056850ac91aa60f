// SPDX-License-Identifier: GPL-2.0
// Key bytes are wiped on every way out: memory that held them is not freed as
// it is, and what is on the stack does not outlive the function.
virtual report

// --- memory whose type says what is in it ---------------------------------

@typed@
{struct kv_kek, struct kv_wrapping, struct kv_sealing, struct kv_tenant, struct kv_fscrypt_payload} *x;
position p;
@@
 \(kfree\|kvfree\|kfree_rcu\)(x@p, ...)

@script:python@
p << typed.p;
@@
print(f"{p[0].file}:{p[0].line}: memory with a key in it is freed and not wiped")

// --- memory whose name says it ----------------------------------------------

// What is opened is written on success only: a failure leaves nothing to wipe.
@unwritten@
expression ret;
identifier x;
position p;
@@
 ret = \(kv_unseal\|kv_gcm_once\)(..., x, ...);
 if (\(ret\|ret < 0\)) {
   ... when any
   \(kfree\|kvfree\)(x@p)
   ...
 }

// NULL needs no wipe.
@absent@
identifier x;
position p;
@@
 if (x) memzero_explicit(x, ...);
 \(kfree\|kvfree\)(x@p)

@named exists@
identifier x =~ "^(plain|secret|material|kek|root|raw|schedule)$";
expression E;
position p != {unwritten.p, absent.p};
@@
 x = E
 ... when != memzero_explicit(x, ...)
     when != IS_ERR(x)
 \(kfree\|kvfree\)(x@p)

@member@
expression E;
position p;
@@
 \(kfree\|kvfree\)(E->material@p)

@named_err exists@
identifier x =~ "^(plain|secret|material|kek|root|raw|schedule)$";
expression E;
statement S;
position p != {unwritten.p, absent.p};
@@
 x = E
 ...
 if (IS_ERR(x)) S
 ... when != memzero_explicit(x, ...)
 \(kfree\|kvfree\)(x@p)

// A payload that came in part: the rest failed, what came is still a secret's.
@partly@
expression x;
position p;
@@
 if (\(copy_from_user(x, ...)\|copy_from_user(x, ...) != 0\)) {
   ... when != memzero_explicit(x, ...)
   \(kfree\|kvfree\)(x@p)
   ...
 }

@script:python@
p << named.p;
@@
print(f"{p[0].file}:{p[0].line}: memory with a key in it is freed and not wiped")

@script:python@
p << member.p;
@@
print(f"{p[0].file}:{p[0].line}: memory with a key in it is freed and not wiped")

@script:python@
p << named_err.p;
@@
print(f"{p[0].file}:{p[0].line}: memory with a key in it is freed and not wiped")

@script:python@
p << partly.p;
@@
print(f"{p[0].file}:{p[0].line}: a part of a payload was copied, and is freed and not wiped")

// --- the stack ----------------------------------------------------------------

@array@
identifier f, x;
type T;
expression n;
@@
 f(...) {
 <+...
 T x[n];
 ...+>
 }

@structure@
identifier f, x;
identifier S =~ "^kv_(kek|wrapping|sealing|fscrypt_payload)$";
@@
 f(...) {
 <+...
 struct S x;
 ...+>
 }

// Who fills it: a key is derived, copied out under its lock, or came from a
// user in a struct of any kind. All of them leave it filled when they fail, too.
@filled_array exists@
identifier array.f, array.x;
position p;
expression E;
@@
 f(...) {
 ... when any
(
 kv_kdf(..., x@p)
|
 root_get(..., x@p)
|
 kv_unseal(..., x@p, ...)
|
 \(copy_struct_from_user\|copy_in\)(x@p, ...)
|
 crypto_shash_tfm_digest(..., x@p)
|
 memcpy(x@p, E->material, ...)
)
 ... when != memzero_explicit(x, ...)
     when any
 }

@script:python@
p << filled_array.p;
f << array.f;
x << array.x;
@@
print(f"{p[0].file}:{p[0].line}: {f}() leaves {x}, which holds a key, on its stack")

@filled_structure exists@
identifier structure.f, structure.x, m;
position p;
@@
 f(...) {
 ... when any
(
 kek_get(..., &x@p)
|
 kek_derive(..., &x@p)
|
 kv_kdf(..., x@p.m)
|
 derive(..., x@p.m)
|
 root_get(..., x@p.m)
|
 memcpy(x@p.m, ...)
)
 ... when != memzero_explicit(&x, ...)
     when any
 }

@script:python@
p << filled_structure.p;
f << structure.f;
x << structure.x;
@@
print(f"{p[0].file}:{p[0].line}: {f}() leaves {x}, which holds a key, on its stack")
