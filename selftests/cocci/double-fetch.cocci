// SPDX-License-Identifier: GPL-2.0
// What a caller has in his memory is read once: a second read may find
// something else, and then what was checked is not what is used.
virtual report

// A size that was read alone is put over the one that came with the struct.
@mended exists@
expression n, P, to;
type T, T2;
position p;
@@
 get_user(n, \(P\|(T *)P\))
 ...
 copy_struct_from_user(to, ..., P, ...)@p
 ... when any
 *(T2 *)to = n

@twice exists@
expression P, E1, E2, E3;
type T;
position p1, p2 != mended.p;
@@
(
 get_user(E1, \(P\|(T *)P\))@p1
|
 copy_from_user(E1, P, ...)@p1
|
 copy_struct_from_user(E1, ..., P, ...)@p1
|
 memdup_user(P, ...)@p1
|
 vmemdup_user(P, ...)@p1
)
 ... when != P = E3
(
 get_user(E2, \(P\|(T *)P\))@p2
|
 copy_from_user(E2, P, ...)@p2
|
 copy_struct_from_user(E2, ..., P, ...)@p2
|
 memdup_user(P, ...)@p2
|
 vmemdup_user(P, ...)@p2
)

@script:python@
p1 << twice.p1;
p2 << twice.p2;
@@
if p1[0].line != p2[0].line:
    print(f"{p2[0].file}:{p2[0].line}: user memory is read again after line {p1[0].line}")

// kv_copy_in() is a copy_from_user() of an address in a struct.
@copied exists@
expression A, M, len;
identifier buf;
position p1, p2;
@@
 kv_copy_in(A->buf, ...)@p1
 ... when any
(
 kv_copy_in(A->buf, ...)@p2
|
 copy_from_user(M, u64_to_user_ptr(A->buf), len)@p2
)

@script:python@
p1 << copied.p1;
p2 << copied.p2;
@@
if p1[0].line != p2[0].line:
    print(f"{p2[0].file}:{p2[0].line}: user memory is read again after line {p1[0].line}")

// The dispatcher has looked at the size; a handler has no use for it.
@handler exists@
identifier fn, p, arg;
type T;
position pos;
@@
 fn(..., void *p, ...) {
 <+...
 T *arg = p;
 ... when any
 arg->size@pos
 ...+>
 }

@script:python@
pos << handler.pos;
@@
print(f"{pos[0].file}:{pos[0].line}: a handler reads the size that the user wrote")
