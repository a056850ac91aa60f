// SPDX-License-Identifier: GPL-2.0
// A failure is not returned as 0: where something could not be had and the
// function leaves, its error variable has been set since it was last 0.
virtual report

@initialize:python@
@@
def found(p):
    print(f"{p[0].file}:{p[0].line}: leaves after a failure, and its error is still 0")

// After "if (ret) leave" it is 0.
@checked exists@
identifier ret =~ "^(ret|r|err|error)$";
identifier l, l2, x;
expression e, e2, e3, E;
position p;
@@
(
 if (\(ret\|ret < 0\|ret != 0\)) goto l;
|
 if (\(ret\|ret < 0\|ret != 0\)) return E;
|
 if (\(ret\|ret < 0\|ret != 0\)) { ... goto l; }
|
 if (\(ret\|ret < 0\|ret != 0\)) { ... return E; }
)
 ... when != ret = e
     when != &ret
     when any
(
 if (\(!x\|x == NULL\|IS_ERR(x)\|IS_ERR_OR_NULL(x)\|copy_from_user(...)\|copy_to_user(...)\)) goto@p l2;
|
 if (\(!x\|x == NULL\|IS_ERR(x)\|IS_ERR_OR_NULL(x)\|copy_from_user(...)\|copy_to_user(...)\)) return@p ret;
|
 if (\(!x\|x == NULL\|IS_ERR(x)\|IS_ERR_OR_NULL(x)\|copy_from_user(...)\|copy_to_user(...)\)) { ... when != ret = e2
  goto@p l2; }
|
 if (\(!x\|x == NULL\|IS_ERR(x)\|IS_ERR_OR_NULL(x)\|copy_from_user(...)\|copy_to_user(...)\)) { ... when != ret = e3
  return@p ret; }
)

@script:python@
p << checked.p;
@@
found(p)

@begun exists@
identifier ret =~ "^(ret|r|err|error)$";
identifier l2, x;
expression e, e2, e3;
position p;
@@
 int ret = 0;
 ... when != ret = e
     when != &ret
     when any
(
 if (\(!x\|x == NULL\|IS_ERR(x)\|IS_ERR_OR_NULL(x)\|copy_from_user(...)\|copy_to_user(...)\)) goto@p l2;
|
 if (\(!x\|x == NULL\|IS_ERR(x)\|IS_ERR_OR_NULL(x)\|copy_from_user(...)\|copy_to_user(...)\)) return@p ret;
|
 if (\(!x\|x == NULL\|IS_ERR(x)\|IS_ERR_OR_NULL(x)\|copy_from_user(...)\|copy_to_user(...)\)) { ... when != ret = e2
  goto@p l2; }
|
 if (\(!x\|x == NULL\|IS_ERR(x)\|IS_ERR_OR_NULL(x)\|copy_from_user(...)\|copy_to_user(...)\)) { ... when != ret = e3
  return@p ret; }
)

@script:python@
p << begun.p;
@@
found(p)
